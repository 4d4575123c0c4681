// Words come from JSON catalogues, Chinese first.
import { signal } from "@preact/signals";

const LANGUAGES = { zh: "zh-CN", en: "en" };
const PARTS = [
  "callbacks", "common", "conduct", "emergency", "figures", "findings", "handover", "missed", "roster", "sinks", "tickets",
  "transfers", "voice",
];
const words = signal({});
export const language = signal("zh");

export async function speak(chosen) {
  localStorage.setItem("cti.language", chosen); // at once: the page may be loaded anew before the words are there
  const answers = await Promise.all(PARTS.map((part) => fetch(`/static/i18n/${chosen}/${part}.json`)));
  words.value = Object.assign({}, ...(await Promise.all(answers.map((answer) => answer.json()))));
  language.value = chosen;
  document.documentElement.lang = LANGUAGES[chosen];
}

export const keptLanguage = () => (localStorage.getItem("cti.language") === "en" ? "en" : "zh");

export function t(key, values = {}) {
  const text = words.value[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

// The name of a shift: the site's own codes are names already.
export const shiftName = (code) => words.value[`shift_code.${code}`] ?? code;

// A problem document in the page's language; codes that the catalogue knows have their own sentence.
export function problemText(problem) {
  const own = words.value[`error.${problem.code}`];
  return own ?? (language.value === "en" ? problem.detail_en : problem.detail) ?? problem.code;
}
