import { defineConfig } from "vite";

// The service writes the pages itself and learns from the manifest what they load: scripts and styles are files of
// its own, named by their content, and nothing is inline.
export default defineConfig({
  base: "/assets/",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../passport/web/built",
    emptyOutDir: true,
    assetsDir: "",
    assetsInlineLimit: 0,
    manifest: "manifest.json",
    modulePreload: false,
    target: "es2022",
    rollupOptions: { input: "src/main.tsx" },
  },
});
