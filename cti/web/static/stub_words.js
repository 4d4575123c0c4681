// What a stub can say at this site: brought once, before the first call.
import { signal } from "@preact/signals";
import { ask } from "./api.js";
import { language } from "./i18n.js";

const NONE = { kinds: [], areas: [], units: [], caller_kinds: [], channels: [], grades: [], complaint_grades: [], notes_most: 2000 };
export const words = signal(NONE);

export async function loadWords() {
  if (words.value !== NONE) return;
  const answer = await ask("GET", "/stub-words");
  if (answer.ok) words.value = answer.value;
}

export const inWords = (list, code) => {
  const found = words.value[list].find((one) => one.code === code);
  return found ? found[language.value] : (code ?? "–");
};
