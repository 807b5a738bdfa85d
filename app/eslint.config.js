import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["*.config.js", "node_modules"] },
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      eqeqeq: "error",
      "no-console": "error",
      "no-restricted-syntax": [
        "error",
        { selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']", message: "text is text" },
        { selector: "MemberExpression[property.name='innerHTML']", message: "text is text" },
        { selector: "JSXAttribute[name.name='style']", message: "the policy of the pages allows no inline style" },
      ],
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
    },
  },
);
