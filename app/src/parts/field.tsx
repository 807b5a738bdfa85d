/** One line to fill in, with its name above it and what is wrong beside it. */

import { useId } from "preact/hooks";

interface Line {
  label: string;
  name: string;
  hint?: string;
  wrong?: boolean;
  autocomplete?: string;
  secret?: boolean;
  maxLength?: number;
  capitals?: boolean;
  value?: string;
}

export function Field(given: Line) {
  const { label, name, hint, wrong = false, autocomplete = "off", secret = false, maxLength, capitals = false, value } = given;
  const id = useId();
  const line = {
    id,
    name,
    autocomplete,
    autocapitalize: capitals ? ("characters" as const) : ("none" as const),
    spellcheck: false,
    required: true,
    ...(maxLength === undefined ? {} : { maxLength }),
    ...(value === undefined ? {} : { defaultValue: value }),
    ...(hint === undefined ? {} : { "aria-describedby": `${id}-hint` }),
    ...(wrong ? { "aria-invalid": "true" as const } : {}),
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {secret ? <input type="password" {...line} /> : <input type="text" {...line} />}
      {hint !== undefined && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

/** What was written into a form's line. */
export function written(form: HTMLFormElement, name: string): string {
  const value = new FormData(form).get(name);
  return typeof value === "string" ? value.trim() : "";
}
