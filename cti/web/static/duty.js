// What pages share: they ask again when something of duty has changed, and show no answer over a newer one.
import { effect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ask } from "./api.js";
import { board, me } from "./model.js";

// Answers overtake each other: `const newer = turn()` when asking; when a good answer is there, `newer()` tells whether
// nothing that was asked for later is shown yet.
export function turns() {
  let asked = 0;
  let shown = 0;
  return () => {
    const own = ++asked;
    return () => {
      if (own < shown) return false;
      shown = own;
      return true;
    };
  };
}

// Asks as ask() does, and puts what is answered into *kept*, a signal.
export function filler(kept) {
  const turn = turns();
  return async (...request) => {
    const newer = turn();
    const answer = await ask(...request);
    if (answer.ok && newer()) kept.value = answer.value;
    return answer;
  };
}

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
