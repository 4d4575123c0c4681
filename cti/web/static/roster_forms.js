// Making the roster: one shift, a rotation of crews, a file.
import { signal } from "@preact/signals";
import { ask } from "./api.js";
import { clockTime } from "./format.js";
import { language, shiftName, t } from "./i18n.js";
import { board } from "./model.js";
import { week } from "./roster_days.js";
import { done, fields, load, open, panel, refusal, roster, send } from "./roster_state.js";
import { html } from "./ui.js";

const XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const OWN = "own"; // times of its own
const templates = () => board.value?.duty?.roster?.templates ?? [];

export const Field = ({ label, children }) => html`<label>${t(label)}${children}</label>`;

export const AgentChoice = ({ name, value, without = "" }) => html`<select name=${name} required data-test=${name}>
  <option value="">${t("roster.choose")}</option>
  ${roster.value.agents.filter((agent) => agent.number !== without).map((agent) => html`<option key=${agent.number}
    value=${agent.number} selected=${agent.number === value}>${agent.number} ${agent.name}</option>`)}</select>`;

export const Buttons = ({ children }) => html`<div class="row end">${children}
  <button type="button" class="quiet" data-test="cancel" onClick=${() => open(null)}>${t("roster.cancel")}</button></div>`;

const timesOf = (shift) => (shift ? { from: clockTime(shift.starts_at), to: clockTime(shift.ends_at) } : {});
const same = (one, other) => one.from === other.from && one.to === other.to;

// A shift of the hotline brings its times along, unless it had others or others were typed in.
function timesToSend(code, typed, shift) {
  const known = templates().find((template) => template.code === code);
  const turnedTo = code !== shift?.code && same(typed, timesOf(shift));
  return known && (turnedTo || same(typed, known)) ? {} : typed;
}

function putShift(event, shift) {
  const { reason = "", extra, from, to, ...entry } = fields(event);
  const times = timesToSend(entry.code, { from, to }, shift);
  const body = { ...entry, ...times, extra: extra === "on", ...(shift && { shift_id: shift.shift_id }) };
  return send("PUT", "/roster/shifts", { entries: [body], reason }, "roster.saved");
}

function takeOff(event, shift) {
  const reason = event.currentTarget.form.elements.reason.value;
  return send("POST", `/roster/shifts/${shift.shift_id}/take-off`, { reason }, "roster.taken_off");
}

export function ShiftForm({ shift, agent, day }) {
  const known = templates().map((template) => template.code);
  const codes = [...new Set([...known, ...(shift ? [shift.code] : []), OWN])];
  const times = timesOf(shift);
  return html`<form class="card roster-form" data-test="shift-form" onSubmit=${(event) => putShift(event, shift)}>
    <h2>${t(shift ? "roster.edit" : "roster.add")}</h2>
    <${Field} label="roster.agent"><${AgentChoice} name="agent" value=${shift?.agent ?? agent} /><//>
    <${Field} label="roster.day"><input type="date" name="day" required defaultValue=${day} data-test="day" /><//>
    <${Field} label="roster.code"><select name="code" data-test="code">
      ${codes.map((code) => html`<option key=${code} value=${code}
        selected=${code === (shift?.code ?? codes[0])}>${shiftName(code)}</option>`)}</select><//>
    <${Field} label="roster.from"><input type="time" name="from" defaultValue=${times.from ?? ""} data-test="from" /><//>
    <${Field} label="roster.to"><input type="time" name="to" defaultValue=${times.to ?? ""} data-test="to" /><//>
    <${Field} label="roster.crew"><input name="crew" maxlength="16" defaultValue=${shift?.crew ?? ""} data-test="crew" /><//>
    <${Field} label="roster.seat_label"><input name="seat" maxlength="32" defaultValue=${shift?.seat ?? ""} data-test="seat" /><//>
    <label class="tick"><input type="checkbox" name="extra" defaultChecked=${shift?.extra ?? false} data-test="extra" />${t("roster.extra_label")}</label>
    <${Field} label="roster.reason"><input name="reason" maxlength="200" placeholder=${t("roster.reason_begun")} data-test="reason" /><//>
    <p class="muted">${t("roster.own_times")}</p>
    <${Buttons}><button class="primary" data-test="save">${t("roster.save")}</button>
      ${shift && html`<button type="button" class="bad" data-test="take-off" onClick=${(event) => takeOff(event, shift)}>${t("roster.take_off")}</button>`}<//>
  </form>`;
}

// Crews as lines of text: the name, a colon, the agents' numbers.
function crewsOf(text) {
  return text.split("\n").filter((line) => line.trim()).map((line) => {
    const [name, numbers = ""] = line.split(/[:：]/);
    return { name: name.trim(), agents: numbers.split(/[\s,，、]+/).filter(Boolean) };
  });
}

function rotate(event) {
  const { crews, days, anchor, from, reason } = fields(event);
  const body = { from, days: Number(days), crews: crewsOf(crews), ...(anchor && { anchor }), ...(reason && { reason }) };
  return send("POST", "/roster/rotation", body, "roster.put");
}

export const RotationForm = () => html`<form class="card roster-form" data-test="rotation-form" onSubmit=${rotate}>
  <h2>${t("roster.rotation")}</h2>
  <p class="muted wide">${t("roster.rotation_hint")}</p>
  <${Field} label="roster.start"><input type="date" name="from" required defaultValue=${week.value} data-test="rotation-from" /><//>
  <${Field} label="roster.days"><input type="number" name="days" min="1" max="370" required defaultValue="28" data-test="days" /><//>
  <${Field} label="roster.anchor"><input type="date" name="anchor" data-test="anchor" /><//>
  <${Field} label="roster.reason"><input name="reason" maxlength="200" placeholder=${t("roster.reason_begun")} /><//>
  <label class="wide">${t("roster.crews")}<textarea name="crews" rows="4" required data-test="crews"
    placeholder=${t("roster.crews_example")}></textarea></label>
  <${Buttons}><button class="primary" data-test="save">${t("roster.generate")}</button><//></form>`;

const bad = signal([]); // rows of the file that cannot be taken

const rowOf = ({ field, message, message_en: english }) => {
  const [row, column] = field.split(/\.(.*)/);
  return { row: /^\d+$/.test(row) ? row : "", column: column ?? "", said: language.value === "en" ? english : message };
};

async function takeIn(event, check) {
  event.preventDefault();
  const form = event.currentTarget.form ?? event.currentTarget;
  const file = form.elements.file.files[0];
  if (!file) return;
  // Browsers on Windows call a CSV file Excel's: what it is stands in its name.
  const sent = new Blob([file], { type: file.name.toLowerCase().endsWith(".xlsx") ? XLSX : "text/csv" });
  // The body is the file; a URL would be in the logs of every proxy.
  const reason = encodeURIComponent(form.elements.reason.value);
  const answer = await ask("POST", `/roster/import?check=${check}`, sent, { "X-CTI-Reason": reason });
  bad.value = answer.ok ? [] : (answer.problem.errors ?? []).map(rowOf);
  refusal.value = answer.ok || bad.value.length ? null : answer.problem;
  done.value = answer.ok ? { key: check ? "roster.checked" : "roster.imported", values: answer.value } : null;
  if (answer.ok && !check) {
    panel.value = null;
    await load();
  }
}

export const ImportForm = () => html`<form class="card roster-form" data-test="import-form" onSubmit=${(event) => takeIn(event, false)}>
  <h2>${t("roster.import")}</h2>
  <p class="muted wide">${t("roster.import_hint")}</p>
  <${Field} label="roster.file"><input type="file" name="file" required accept=".csv,.xlsx" data-test="file"
    onChange=${() => (bad.value = [])} /><//>
  <${Field} label="roster.reason"><input name="reason" maxlength="200" placeholder=${t("roster.reason_begun")} /><//>
  ${bad.value.length > 0 && html`<div class="wide" role="alert" data-test="bad-rows"><strong>${t("roster.bad_rows", { n: bad.value.length })}</strong>
    <div class="scroll"><table class="list"><thead><tr><th>${t("roster.row")}</th><th>${t("roster.column")}</th><th>${t("roster.wrong")}</th></tr></thead>
      <tbody>${bad.value.map((line, n) => html`<tr key=${n}><td class="num">${line.row}</td><td>${line.column}</td><td>${line.said}</td></tr>`)}</tbody>
    </table></div></div>`}
  <${Buttons}><button class="primary" data-test="take-in">${t("roster.take_in")}</button>
    <button type="button" data-test="check" onClick=${(event) => takeIn(event, true)}>${t("roster.check")}</button><//></form>`;
