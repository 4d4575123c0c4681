// The directory of units: whom the hotline may ring, and who is on duty. Kept by leads and administrators.
import { signal } from "@preact/signals";
import { filler, useDuty } from "./duty.js";
import { dayTime } from "./format.js";
import { language, t } from "./i18n.js";
import { me } from "./model.js";
import { html, Notice } from "./ui.js";

const ROLES = ["emergency", "specialist", "outside"];
const units = signal([]);
const refusal = signal(null);
const fill = filler(units);
const load = () => fill("GET", "/directory");

async function send(method, path, body) {
  const answer = await fill(method, `/directory${path}`, body);
  refusal.value = answer.ok ? null : answer.problem;
  return answer.ok;
}

const words = (text) => text.split(/[\s,，、]+/).filter(Boolean);

// "05305550001 20:00-08:00": a number, and its hours when it is not always staffed.
function numbersOf(text) {
  return text.split(/[,，;；]/).map((one) => one.trim()).filter(Boolean).map((one) => {
    const [, number, from = "", to = ""] = /^(.*?)(?:\s+(\d\d:\d\d)-(\d\d:\d\d))?$/.exec(one);
    return { number, from, to };
  });
}

const submit = (made) => async (event) => {
  event.preventDefault();
  const form = event.currentTarget;
  const said = Object.fromEntries(new FormData(form));
  if (await made(said)) form.reset();
};

const putUnit = (said) =>
  send("PUT", `/units/${encodeURIComponent(said.code.trim())}`, {
    zh: said.zh, en: said.en, role: said.role, kinds: words(said.kinds), areas: words(said.areas), numbers: numbersOf(said.numbers),
  });

const putDuty = (said) =>
  send("POST", "/duty", {
    unit: said.unit, number: said.number, name: said.name,
    starts_at: new Date(said.starts).toISOString(), ends_at: new Date(said.ends).toISOString(),
  });

const Field = ({ name, ...more }) =>
  html`<input name=${name} aria-label=${t(`directory.${name}`)} placeholder=${t(`directory.${name}`)} data-test=${`directory-${name}`} ...${more} />`;

const nameOf = (unit) => unit[language.value];

const Unit = ({ unit }) => html`<tr data-test="unit" data-code=${unit.code}>
  <td><b>${nameOf(unit)}</b> <small>${unit.code}</small></td>
  <td>${t(`directory.role.${unit.role}`)}</td>
  <td>${unit.kinds.join(t("punct.comma")) || t("directory.every_kind")} · ${unit.areas.join(t("punct.comma")) || t("directory.every_area")}</td>
  <td class="num">${unit.numbers.map(([number, from, to]) => html`<div>${number}${from ? ` ${from}-${to}` : ""}</div>`)}</td>
  <td>${unit.on_call.map((line) => html`<div class="num">${line.name} ${line.number} ${dayTime(line.starts_at)}–${dayTime(line.ends_at)}
    <button class="small" onClick=${() => send("DELETE", `/duty/${encodeURIComponent(line.entry_id)}`)}>${t("directory.remove")}</button></div>`)}</td>
  <td><button class="small" data-test="unit-remove" onClick=${() => send("DELETE", `/units/${encodeURIComponent(unit.code)}`)}>
    ${t("directory.remove")}</button></td></tr>`;

function Units() {
  useDuty(load);
  return html`<section class="card directory" data-test="directory"><details>
    <summary><b>${t("directory.title")}</b> <span class="count num">${units.value.length}</span></summary>
    <${Notice} problem=${refusal.value} onClose=${() => (refusal.value = null)} />
    <table><tbody>${units.value.map((unit) => html`<${Unit} unit=${unit} key=${unit.code} />`)}</tbody></table>
    <form onSubmit=${submit(putUnit)}>
      <${Field} name="code" required pattern="[a-z0-9_\\-]{1,40}" /><${Field} name="zh" required maxlength="20" />
      <${Field} name="en" required maxlength="40" />
      <select name="role" aria-label=${t("directory.role")}>${ROLES.map((role) => html`<option value=${role}>${t(`directory.role.${role}`)}</option>`)}</select>
      <${Field} name="kinds" /><${Field} name="areas" /><${Field} name="numbers" required />
      <button class="small primary" data-test="unit-put">${t("directory.put")}</button></form>
    ${units.value.length > 0 && html`<form onSubmit=${submit(putDuty)}>
      <select name="unit" aria-label=${t("directory.unit")}>${units.value.map((unit) => html`<option value=${unit.code}>${nameOf(unit)}</option>`)}</select>
      <${Field} name="name" required maxlength="40" /><${Field} name="number" required maxlength="20" />
      <${Field} name="starts" type="datetime-local" required /><${Field} name="ends" type="datetime-local" required />
      <button class="small" data-test="duty-put">${t("directory.put_duty")}</button></form>`}
  </details></section>`;
}

// Numbers of units are for those who ring them: an auditor is not given any.
export const Directory = () => me.value.person.role !== "auditor" && html`<${Units} />`;
