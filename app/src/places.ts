/** Where the person is: the address alone decides which page is shown. */

import { useEffect, useState } from "preact/hooks";

export function usePath(): string {
  const [path, setPath] = useState(location.pathname);
  useEffect(() => {
    const moved = () => {
      setPath(location.pathname);
    };
    addEventListener("popstate", moved);
    return () => {
      removeEventListener("popstate", moved);
    };
  }, []);
  return path;
}

export function go(path: string): void {
  history.pushState(null, "", path);
  dispatchEvent(new PopStateEvent("popstate"));
}
