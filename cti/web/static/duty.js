// What the duty pages share: they ask again when the service says that something of duty has changed.
import { effect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { board, me } from "./model.js";

// Calls *load* now, and again with every change of duty, as long as the component is shown.
export function useDuty(load) {
  useEffect(() => {
    let seen = null;
    return effect(() => {
      const version = board.value?.duty?.version ?? 0;
      if (version === seen || !me.value) return;
      seen = version;
      load();
    });
  }, []);
}
