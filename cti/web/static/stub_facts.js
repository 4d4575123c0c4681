// What the agent must know of a ticket while he speaks: its clock, what repeats, who chases.
import { useState } from "preact/hooks";
import { clockText, dayTime } from "./format.js";
import { t } from "./i18n.js";
import { openTicket } from "./live.js";
import { mine, now } from "./model.js";
import { inWords } from "./stub_words.js";
import { html } from "./ui.js";

export function Clock({ stub }) {
  if (stub.handed_out_at || !stub.hand_out_due) return null;
  const left = Date.parse(stub.hand_out_due) - now.value;
  const level = left < 0 ? "bad" : left < 120000 ? "near" : "calm";
  return html`<span class=${`handout-clock ${level}`} role="timer" data-test="handout-clock" data-level=${level}>
    ${t(left < 0 ? "stub.overdue" : "stub.hand_out_in")} <b class="num">${left < 0 ? "+" : ""}${clockText(Math.abs(left))}</b></span>`;
}

export function Repeated({ ticket, onGrade }) {
  const { stub, repeats } = ticket;
  const list = ["3", "2", "1"];
  const articles = [...new Set(repeats?.articles.map((one) => one.article))];
  const wordings = repeats?.articles.map((one) => one.wording).join("\n");
  return html`<div class="repeated" data-test="repeats">
    <div class="grades" role="group" aria-label=${t("stub.complaint_grade")}><span>${t("stub.complaint_grade")}</span>
      ${list.map((grade) => html`<button key=${grade} class="small" aria-pressed=${stub.complaint_grade === grade}
        data-test=${`complaint-${grade}`} onClick=${() => onGrade(grade)}>${inWords("complaint_grades", grade)}</button>`)}</div>
    ${repeats && html`<p class="counted">${t("stub.same_caller", { n: repeats.same_caller })} · ${t("stub.different", { n: repeats.different })}
      ${repeats.grade && html` · <b data-test="suggested">${t("stub.suggested", { grade: inWords("complaint_grades", repeats.grade) })}</b>`}
      <span class="muted" title=${wordings}> ${articles.join(" ")}</span></p>`}
  </div>`;
}

const length = (s) => (s >= 86400 ? `${Math.floor(s / 86400)} d ${clockText((s % 86400) * 1000)}` : clockText(s * 1000));

function One({ row, onRemind }) {
  const [why, setWhy] = useState("");
  const share = row.share === null ? null : Math.min(row.share, 1);
  return html`<li data-test="chased" data-advice=${row.advice}>
    <div class="chased-line"><b>${row.kind ? inWords("kinds", row.kind) : t("stub.no_kind")}</b>
      <span class="num">${dayTime(row.opened_at)}</span>
      <span>${row.unit ? inWords("units", row.unit) : t("stub.not_handed")}</span>
      <span class=${`num ${row.share > 1 ? "late" : ""}`} data-test="chased-age">${length(row.age_s)}${row.limit_s ? ` / ${length(row.limit_s)}` : ""}</span>
      ${share !== null && html`<progress max="1" value=${share} aria-label=${t("stub.share")}></progress>`}
      <span class="num" data-test="chased-reminders">${t("stub.reminders", { n: row.reminders, most: row.most_reminders ?? "–" })}</span>
      <span class=${`advice ${row.advice}`}>${t(`stub.advice.${row.advice}`)}</span></div>
    ${row.handed_out_at && html`<div class="chased-acts">
      <input data-test="chased-reason" maxlength="200" aria-label=${t("stub.reason")} placeholder=${t("stub.reason")} defaultValue=""
        onInput=${(event) => setWhy(event.currentTarget.value)} />
      <button class="small" data-test="remind" onClick=${() => onRemind(row.ticket_id, why.trim())}>${t("stub.remind")}</button></div>`}
  </li>`;
}

// Beside the form, which stays where it is however many there are; the list itself stands below.
export function Chasing({ tickets }) {
  if (!tickets.length) return null;
  const show = () => {
    document.getElementById("chased").scrollIntoView({ block: "nearest" });
    document.getElementById("chased").focus();
  };
  return html`<button class="small chasing" data-test="chasing" onClick=${show}>${t("stub.open_tickets", { n: tickets.length })}</button>`;
}

export function Chased({ tickets, onRemind, children }) {
  if (!tickets.length) return null;
  return html`<section class="chased" data-test="chase" id="chased" tabindex="-1"><h3>${t("stub.open_tickets", { n: tickets.length })}</h3>
    <ul>${tickets.map((row) => html`<${One} key=${row.ticket_id} row=${row} onRemind=${onRemind} />`)}</ul>${children}</section>`;
}

// Hand-outs of mine that are overdue, whatever is on the screen.
export function LateStubs() {
  const late = mine.value?.stubs_late ?? [];
  if (!late.length) return null;
  return html`<p class="late-stubs" role="alert" data-test="late-stubs">${t("stub.late", { n: late.length })}
    ${late.map((id) => html`<button key=${id} class="small" onClick=${() => openTicket(id)}>${t("calls.open")}</button>`)}</p>`;
}
