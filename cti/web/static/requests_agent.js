// The agent's own duty: the shift and its windows, coming to the post, requests to the lead, the place in the break line.
import { signal } from "@preact/signals";
import { ask } from "./api.js";
import { filler, useDuty } from "./duty.js";
import { clockText, clockTime } from "./format.js";
import { language, problemText, shiftName, t } from "./i18n.js";
import { me, mine, now } from "./model.js";
import { html, Icon, Notice } from "./ui.js";

const duty = signal(null);
const refusal = signal(null);
const ACTION = { busy: "busy", sign_out: "sign-out", sign_in: "sign-in" };
const SHOWN = 4; // requests; older ones are in the lead's list

const fill = filler(duty);
const load = () => fill("GET", "/me/duty");

async function send(method, path, body) {
  const answer = await ask(method, path, body);
  refusal.value = answer.ok ? null : answer.problem;
  load();
  return answer.ok;
}

const at = (iso) => Date.parse(iso);

// The shift from start to end, the windows in which nobody leaves darker, and a mark for now.
function ShiftBar({ shift, windows }) {
  const begin = at(shift.starts_at);
  const length = at(shift.ends_at) - begin;
  const place = (moment) => Math.min(1000, Math.max(0, ((moment - begin) * 1000) / length));
  return html`<svg class="shift-bar" viewBox="0 0 1000 12" preserveAspectRatio="none" role="img" data-test="shift-bar"
      aria-label=${windows.map((w) => t(`window.${w.name}`, { at: clockTime(w.begins), to: clockTime(w.ends) })).join(t("punct.semicolon"))}>
    <rect class="whole" x="0" y="3" width="1000" height="6" rx="3" />
    <rect class="past" x="0" y="3" width=${place(now.value)} height="6" rx="3" />
    ${windows.map((w) => html`<rect class="window" data-test=${`window-${w.name}`} x=${place(at(w.begins))} y="3"
      width=${place(at(w.ends)) - place(at(w.begins))} height="6" rx="3" />`)}
    <rect class="now" x=${Math.min(place(now.value), 996)} y="0" width="4" height="12" /></svg>`;
}

function Shift({ shift, windows }) {
  const here = windows.find((w) => now.value >= at(w.begins) && now.value < at(w.ends));
  return html`<div class="shift" data-test="shift"><div class="line"><b>${shiftName(shift.code)}</b>
      <span class="num">${clockTime(shift.starts_at)}–${clockTime(shift.ends_at)}</span>
      <span class="right num" data-test="time-left">${t("shift.left", { for: clockText(at(shift.ends_at) - now.value) })}</span></div>
    <${ShiftBar} shift=${shift} windows=${windows} />
    ${here && html`<p class="ban" data-test="ban">${t(`window.${here.name}`, { at: clockTime(here.begins), to: clockTime(here.ends) })}</p>`}
  </div>`;
}

const Coming = ({ shift }) => html`<div class="shift" data-test="next-shift"><div class="line"><b>${t("shift.next")}</b>
  <span class="num">${shiftName(shift.code)} ${clockTime(shift.starts_at)}–${clockTime(shift.ends_at)}</span>
  <span class="right num">${t("shift.in", { for: clockText(at(shift.starts_at) - now.value) })}</span></div></div>`;

// The phone of the seat asks for the PIN; what came of it is said until it is tried again.
const SeatCheck = ({ check }) => html`<p class=${`callout ${check.state}`} role="status" data-test="seat-check" data-state=${check.state}>
  <${Icon} name="phone" /> ${t(`seat_check.${check.state}`, { seat: check.seat })}</p>`;

const BreakLine = ({ place }) => html`<div class="callout waiting" role="status" data-test="break-line">
  <span class="grow">${t("break.position", { n: place.position, reason: reasonName(place.reason) })}</span>
  <button class="small" data-test="leave-line" onClick=${() => send("DELETE", "/me/break-line")}>${t("break.leave")}</button></div>`;

const Dropped = ({ problem }) => html`<div class="callout bad" role="status" data-test="break-dropped">
  <span class="grow">${t("break.dropped")} ${problemText(problem)}
    ${problem.articles.map((a) => html`<small>${a.document} ${a.article}</small>`)}</span></div>`;

function OwnPermit({ permit, onAct }) {
  const usable = permit.state === "agreed" && (!permit.used_at || permit.kind === "busy");
  const open = permit.state === "asked" || (permit.state === "agreed" && !permit.used_at);
  return html`<li data-test="own-permit" data-state=${permit.state}><div class="line">
      <b>${t(`permit.${permit.kind}`)}</b><span class=${`permit-${permit.state}`}>${t(`permit.state.${permit.state}`)}</span>
      <span class="right num">${permit.state === "agreed" ? t("permit.until", { at: clockTime(permit.until) }) : clockTime(permit.asked_at)}</span></div>
    <small>${permit.reason}</small>
    ${permit.answer && html`<small>${t("permit.answer", { by: permit.decided_by, text: permit.answer })}</small>`}
    ${(usable || open) && html`<div class="line">
      ${usable && html`<button class="small primary" data-test="use-permit" onClick=${() => onAct(ACTION[permit.kind])}>
        ${t(`action.${ACTION[permit.kind]}`)}</button>`}
      ${open && html`<button class="small" data-test="withdraw" onClick=${() => send("POST", `/me/permits/${permit.permit_id}/withdraw`)}>
        ${t("permit.withdraw")}</button>`}</div>`}</li>`;
}

// A site's label in the page's language.
export function reasonName(code) {
  const reason = me.value?.busy_reasons[code];
  return reason ? reason[language.value] : code;
}

// What a rule refused and a lead may allow: why it is needed goes to the lead's desk.
export function AskLead({ action, onAsked }) {
  const kind = action.replace("-", "_");
  async function submit(event) {
    event.preventDefault();
    const reason = new FormData(event.target).get("reason").trim();
    if (await send("POST", "/me/permits", { kind, reason })) onAsked();
  }
  return html`<form class="choose ask-lead" onSubmit=${submit} data-test="ask-lead"><label>${t("permit.why")}
      <input name="reason" maxlength="200" required data-test="ask-reason" /></label>
    <button class="primary" data-test="ask-send">${t("permit.ask")}</button></form>`;
}

function countedMs() {
  const line = mine.value;
  const running = line?.busy_counted_since ? Math.max(0, now.value - at(line.busy_counted_since)) : 0;
  return (line?.busy_counted_ms ?? 0) + running;
}

export function AgentDuty({ onAct }) {
  useDuty(load);
  const own = duty.value;
  if (!own) return null;
  const permits = own.permits.slice(0, SHOWN);
  const counted = countedMs();
  const empty = !own.shift && !own.next_shift && !permits.length && !own.seat_check && !own.break_line && !own.dropped && !counted;
  if (empty && !refusal.value) return null;
  return html`<section class="card own-duty" data-test="duty">
    ${own.shift && html`<${Shift} shift=${own.shift} windows=${own.windows} />`}
    ${!own.shift && own.next_shift && html`<${Coming} shift=${own.next_shift} />`}
    ${own.can_arrive && html`<button class="arrive" data-test="arrive" onClick=${() => send("POST", "/me/arrive")}>${t("arrive")}</button>`}
    ${own.arrived_at && html`<p class="muted" data-test="arrived">${t("arrived", { at: clockTime(own.arrived_at) })}</p>`}
    ${own.seat_check && html`<${SeatCheck} check=${own.seat_check} />`}
    ${own.break_line && html`<${BreakLine} place=${own.break_line} />`}
    ${own.dropped && html`<${Dropped} problem=${own.dropped} />`}
    ${own.over_time && html`<p class="callout bad" data-test="over-time"><${Icon} name="warn" /> ${t("permit.over_time")}</p>`}
    ${counted > 0 && html`<p class="line muted"><span>${t("busy.counted")}</span><span class="right num" data-test="counted">${clockText(counted)}</span></p>`}
    ${permits.length > 0 && html`<ul class="permits">${permits.map((permit) => html`<${OwnPermit} key=${permit.permit_id}
      permit=${permit} onAct=${onAct} />`)}</ul>`}
    <${Notice} problem=${refusal.value} onClose=${() => (refusal.value = null)} /></section>`;
}
