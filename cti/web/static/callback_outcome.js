// What came of a callback, by keys alone: a digit says what, Enter saves. Nothing typed is lost or looks saved before it is.
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { draftOf, forget, matterKey, momentOf, owed, saved, typed } from "./callback_acts.js";
import { t } from "./i18n.js";
import { html } from "./ui.js";

const WHAT = ["satisfied", "neutral", "dissatisfied", "appointment", "refused", "wrong_number", "sendback", "matter", "close"];
const CAUSES = ["taking", "handing_out", "shirked", "handling", "reply", "manners", "policy", "other"];
const RATINGS = WHAT.slice(0, 3);
const NEEDS_WORDS = ["sendback", "matter", "close"];
const LONGEST = { sendback: 200, close: 200, matter: 2000 }; // characters; 500 of what a caller said

function send(row, draft) {
  const text = draft.text.trim();
  if (RATINGS.includes(draft.what)) {
    return owed(row, "result", { result: draft.what, text, ...(draft.what === "dissatisfied" ? { cause: draft.cause || CAUSES[0] } : {}) });
  }
  if (draft.what === "appointment") return owed(row, "appointment", { at: momentOf(draft.at) });
  if (draft.what === "sendback") return owed(row, "sendback", { reason: text });
  if (draft.what === "close") return owed(row, "close", { reason: text });
  if (draft.what === "matter") return owed(row, "matters", { text }, { "Idempotency-Key": matterKey(row.callback_id, text) });
  return owed(row, "refusal", { what: draft.what, text });
}

const inField = (target) => ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName) && target.type !== "radio";

const leaving = (event) => event.preventDefault(); // the browser asks before words are left behind

export function Outcome({ row }) {
  const id = row.callback_id;
  const draft = draftOf(id);
  const form = useRef(null);
  const unsaved = Boolean(draft.what || draft.text);
  const pick = (what) => {
    typed(id, { what });
    saved.value = null;
    setTimeout(() => form.current?.querySelector("[data-first]")?.focus(), 0);
  };
  useLayoutEffect(() => {
    const onKey = (event) => {
      const what = WHAT[Number(event.key) - 1];
      if (!what || event.altKey || event.ctrlKey || event.metaKey || inField(event.target)) return;
      event.preventDefault();
      pick(what);
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [id]);
  useEffect(() => {
    if (!unsaved) return undefined;
    addEventListener("beforeunload", leaving);
    return () => removeEventListener("beforeunload", leaving);
  }, [unsaved]);
  async function submit(event) {
    event.preventDefault();
    const what = draft.what;
    if (!(await send(row, draft))) return;
    forget(id);
    saved.value = what;
  }
  const field = (name) => (event) => typed(id, { [name]: event.target.value });
  return html`<form class="cb-outcome" ref=${form} onSubmit=${submit} data-test="outcome"><h3>${t("callback.outcome")}
      ${unsaved && html`<span class="tag cb-unsaved" role="status" data-test="unsaved">${t("callback.unsaved")}</span>`}</h3>
    <div class="cb-choices" role="radiogroup" aria-label=${t("callback.outcome")}>${WHAT.map((what, at) => html`<button type="button" role="radio"
      aria-checked=${draft.what === what} class=${draft.what === what ? "here" : ""} data-test=${`say-${what}`} key=${what} onClick=${() => pick(what)}>
      <kbd>${at + 1}</kbd>${t(`callback.what.${what}`)}</button>`)}</div>
    ${draft.what && html`<div class="cb-fields">
      ${draft.what === "dissatisfied" && html`<label>${t("callback.cause")}<select data-first value=${draft.cause || CAUSES[0]} data-test="cause" onChange=${field("cause")}>
        ${CAUSES.map((cause) => html`<option value=${cause} key=${cause}>${t(`callback.cause.${cause}`)}</option>`)}</select></label>`}
      ${draft.what === "appointment"
        ? html`<label>${t("callback.agreed_at")}<input data-first type="datetime-local" required value=${draft.at} data-test="agreed-at" onInput=${field("at")} /></label>`
        : html`<label class="grow">${t(`callback.words.${draft.what}`)}<input data-first=${draft.what !== "dissatisfied"} maxlength=${LONGEST[draft.what] ?? 500} value=${draft.text}
            required=${NEEDS_WORDS.includes(draft.what)} data-test="words" onInput=${field("text")} /></label>`}
      <button class="primary" data-test="save">${t("callback.save")}<kbd>Enter</kbd></button>
      <button type="button" data-test="discard" onClick=${() => forget(id)}>${t("callback.discard")}</button></div>`}</form>`;
}
