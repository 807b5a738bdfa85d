/** A question before something that is not easily undone. */

import { useEffect, useId, useRef } from "preact/hooks";

import { useTexts } from "../language";

export interface Asked {
  text: string;
  yes: string;
  then: () => void;
}

export function Question({ asked, onClose }: { asked: Asked | null; onClose: () => void }) {
  const texts = useTexts();
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    if (asked !== null && dialog.current?.open === false) dialog.current.showModal();
    if (asked === null && dialog.current?.open === true) dialog.current.close();
  }, [asked]);
  const answer = () => {
    asked?.then();
    onClose();
  };
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={onClose}>
      <p id={id}>{asked?.text}</p>
      <div class="choices">
        <button type="button" class="danger" onClick={answer}>
          {asked?.yes}
        </button>
        <button type="button" onClick={onClose} autofocus>
          {texts.cancel}
        </button>
      </div>
    </dialog>
  );
}
