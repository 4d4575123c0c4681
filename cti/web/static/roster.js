// The roster: who works when, a week at a time; made by leads and administrators, and asked out of by agents.
import { useEffect } from "preact/hooks";
import { useDuty } from "./duty.js";
import { clockTime } from "./format.js";
import { shiftName, t } from "./i18n.js";
import { board, me, now } from "./model.js";
import { addDays, dayName, dayOf, daysOf, mondayOf, today, week, weekDays } from "./roster_days.js";
import { ImportForm, RotationForm, ShiftForm } from "./roster_forms.js";
import { AskForm, RequestList } from "./roster_requests.js";
import { done, load, makes, nameOf, open, panel, refusal, roster } from "./roster_state.js";
import { Banners, html, Notice, TopBar } from "./ui.js";

const PANELS = { shift: ShiftForm, rotation: RotationForm, import: ImportForm, ask: AskForm };
const KNOWN = ["day", "night"];

function turnTo(day) {
  week.value = mondayOf(day);
  load();
}

function Toolbar() {
  const days = weekDays();
  const span = `from=${days[0]}&to=${days[6]}`;
  return html`<div class="roster-bar">
    <button data-test="week-before" title=${t("roster.before")} onClick=${() => turnTo(addDays(week.value, -7))}>‹</button>
    <button data-test="week-now" onClick=${() => turnTo(today.value)}>${t("roster.this_week")}</button>
    <button data-test="week-after" title=${t("roster.after")} onClick=${() => turnTo(addDays(week.value, 7))}>›</button>
    <h1 class="num" data-test="week">${t("roster.span", { from: days[0], to: days[6] })}</h1>
    <div class="spacer"></div>
    ${makes() && html`
      <button data-test="add-shift" onClick=${() => open({ kind: "shift", day: days[0] })}>${t("roster.add")}</button>
      <button data-test="rotation" onClick=${() => open({ kind: "rotation" })}>${t("roster.rotation")}</button>
      <button data-test="import" onClick=${() => open({ kind: "import" })}>${t("roster.import")}</button>`}
    ${me.value.person.role !== "agent" && html`
      <a class="small" data-test="export-csv" href=${`/api/v1/roster/export.csv?${span}`} download>CSV</a>
      <a class="small" data-test="export-xlsx" href=${`/api/v1/roster/export.xlsx?${span}`} download>XLSX</a>`}
  </div>`;
}

// What a click on a shift opens: its makers change it, its agent asks out of it; for everybody else it is text.
function actionOf(shift) {
  if (shift.state !== "on") return null;
  if (makes()) return { kind: "shift", shift, day: dayOf(shift.starts_at) };
  return shift.agent === me.value.person.number && Date.parse(shift.ends_at) > now.peek() ? { kind: "ask", shift } : null;
}

function Chip({ shift, day }) {
  const [first, last] = daysOf(shift);
  const tail = day !== first;
  const kind = KNOWN.includes(shift.code) ? shift.code : "other";
  const times = `${tail ? "…" : clockTime(shift.starts_at)}–${last !== day ? "…" : clockTime(shift.ends_at)}`;
  const name = html`<b>${shiftName(shift.code)}${shift.extra && html`<i class="extra">${t("roster.extra")}</i>`}</b>
    <span class="num">${times}</span>
    ${shift.state !== "on" && html`<em>${t(`shift_state.${shift.state}`)}</em>`}
    ${!tail && (shift.crew || shift.seat) && html`<small>${shift.crew} ${shift.seat && t("roster.seat", { seat: shift.seat })}</small>`}`;
  const look = `chip code-${kind} state-${shift.state} ${tail ? "tail" : ""}`;
  const full = `${nameOf(shift.agent)} ${shiftName(shift.code)} ${first} ${clockTime(shift.starts_at)}–${clockTime(shift.ends_at)}`;
  const action = tail ? null : actionOf(shift);
  return action
    ? html`<button class=${look} title=${full} data-test="shift" data-agent=${shift.agent} onClick=${() => open(action)}>${name}</button>`
    : html`<span class=${look} title=${full} data-test=${tail ? "tail" : "shift"} data-agent=${shift.agent}>${name}</span>`;
}

function Row({ agent, days, shifts }) {
  const own = agent.number === me.value.person.number;
  return html`<tr class=${own ? "own" : ""} data-test="row" data-agent=${agent.number}>
    <th scope="row"><b>${agent.name || agent.number}</b><small class="num">${agent.number}</small></th>
    ${days.map((day) => html`<td key=${day} class=${day === today.value ? "this-day" : ""} data-day=${day}>
      ${shifts.filter((shift) => daysOf(shift)[0] <= day && day <= daysOf(shift)[1])
        .map((shift) => html`<${Chip} key=${shift.shift_id} shift=${shift} day=${day} />`)}
      ${makes() && html`<button class="quiet plus" title=${t("roster.add_for", { agent: agent.name, day })}
        data-test="plus" onClick=${() => open({ kind: "shift", agent: agent.number, day })}>+</button>`}</td>`)}</tr>`;
}

function Grid() {
  const days = weekDays();
  const { agents, shifts } = roster.value;
  return html`<div class="card grid"><table>
    <thead><tr><th scope="col">${t("roster.agent")}</th>
      ${days.map((day) => html`<th scope="col" key=${day} class=${day === today.value ? "this-day" : ""}>
        ${dayName(day)} <span class="num">${day.slice(5)}</span></th>`)}</tr></thead>
    <tbody>${agents.map((agent) => html`<${Row} key=${agent.number} agent=${agent} days=${days}
      shifts=${shifts.filter((shift) => shift.agent === agent.number)} />`)}</tbody></table>
    ${!shifts.length && html`<p class="muted none" data-test="empty">${t("roster.empty")}</p>`}
    <p class="legend">${(board.value?.duty?.roster?.templates ?? []).map((known) => html`<span key=${known.code}>
      <i class=${`dot code-${known.code}`}></i>${shiftName(known.code)} <span class="num">${known.from}–${known.to}</span></span>`)}
      <span><i class="dot state-leave"></i>${t("roster.away")}</span></p></div>`;
}

export function RosterPage() {
  if (week.value === null) week.value = mondayOf(today.value);
  useDuty(load);
  useEffect(() => {
    const close = (event) => event.key === "Escape" && open(null);
    addEventListener("keydown", close);
    return () => removeEventListener("keydown", close);
  }, []);
  const Panel = PANELS[panel.value?.kind];
  return html`<div class="page roster"><${TopBar} /><${Banners} />
    <main><${Toolbar} />
      <${Notice} problem=${refusal.value} onClose=${() => (refusal.value = null)} />
      ${done.value && html`<p class="done" role="status" data-test="done">${t(done.value.key, done.value.values)}</p>`}
      ${Panel && html`<${Panel} key=${JSON.stringify(panel.value)} ...${panel.value} />`}
      <${Grid} /><${RequestList} /></main></div>`;
}
