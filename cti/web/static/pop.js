// The ticket on the screen, and what is there while no call is.
import { useEffect, useState } from "preact/hooks";
import { ask } from "./api.js";
import { EmergencyPanel } from "./emergency.js";
import { dayTime, phone, seconds, timeOf } from "./format.js";
import { t } from "./i18n.js";
import { loadLists } from "./live.js";
import { board, me, mine, pop } from "./model.js";
import { AskBlock } from "./nuisance.js";
import { Conversations } from "./player.js";
import { Replies } from "./replies.js";
import { ChasedTickets, StubForm } from "./stub_form.js";
import { inWords, loadWords } from "./stub_words.js";
import { TransferPanel } from "./transfers.js";
import { CallersRating, OutageNotes, VoiceKeys } from "./voice.js";
import { Countdown, html, Icon, Notice, Since } from "./ui.js";

export const copyNumber = () => pop.value && navigator.clipboard?.writeText(pop.value.caller);

const Fact = ({ name, children, level = "" }) =>
  html`<div class=${`fact ${level}`}><dt>${name}</dt><dd class="num">${children}</dd></div>`;

function CallbackButton({ ticketId }) {
  const [said, setSaid] = useState(null);
  async function plan() {
    const key = { "Idempotency-Key": `page-${ticketId}` };
    setSaid(await ask("POST", "/callbacks", { ticket_id: ticketId }, key));
    loadLists();
  }
  if (said?.ok) return html`<span class="done" data-test="planned">✓ ${t("callback.planned")}</span>`;
  return html`<button onClick=${plan} data-test="plan-callback">${t("callback.plan")}</button>
    <${Notice} problem=${said?.problem} onClose=${() => setSaid(null)} />`;
}

const bad = (result) => (["answered", "open", "reached", "due", "placing"].includes(result) ? "" : "bad");

function History({ ticket }) {
  const { history, callbacks } = ticket;
  if (!history.length) return html`<p class="muted none">${t("pop.first_call")}</p>`;
  return html`<table data-test="history"><tbody>
    ${history.map((row) => html`<tr key=${row.at}>
      <td class="num">${dayTime(row.at)}</td>
      <td><span class=${`result ${bad(row.result)}`}>${t(`result.${row.result}`)}</span></td>
      <td>${row.agent ? t("pop.by", { agent: row.agent }) : ""}</td>
      <td class="num id">${row.ticket_id ?? ""}</td></tr>`)}
    ${callbacks.map((row) => html`<tr key=${`back-${row.at}`} data-test="history-callback">
      <td class="num">${dayTime(row.at)}</td>
      <td>${t("stub.callback")} · <span class=${`result ${bad(row.state)}`}>${t(`callback.${row.state}`)}</span></td>
      <td>${t("pop.by", { agent: row.agent })}</td><td></td></tr>`)}
  </tbody></table>`;
}

// Of a ticket that nobody has finished or handed out no callback is owed: its pop asks for nothing more.
const calledBack = (ticket) => Boolean(ticket.closed_at || ticket.stub.handed_out_at || ticket.callbacks.length) && me.value.person.role !== "admin";

const Source = ({ ticket }) => (ticket.call_id
  ? html`<${Fact} name=${t("pop.queue")}>${ticket.queue}<//>`
  : html`<${Fact} name=${t("stub.channel")}>${inWords("channels", ticket.stub.channel)}<//>`);

export function PopCard() {
  const ticket = pop.value;
  const live = mine.value?.state === "talking" && mine.value.call_id === ticket.call_id;
  const limit = board.value?.limit_s ?? 15;
  return html`<section class=${`card pop ${live ? "live" : ""}`} data-test="pop" key=${ticket.ticket_id}>
    <header>
      <div><span class="eyebrow">${t(live ? "pop.live" : "pop.over")} · ${ticket.hotline}</span>
        <h2 class="num" data-test="caller">${phone(ticket.caller) || t("pop.withheld")}</h2></div>
      ${live && html`<div class="talk num" data-test="talk-timer"><${Since} iso=${ticket.answered_at} /></div>`}
      <button class="quiet" data-test="close-pop" title="Esc" aria-label=${t("close")} onClick=${() => (pop.value = null)}><${Icon} name="close" /></button>
    </header>
    <dl class="facts">
      <${Source} ticket=${ticket} />
      <${Fact} name=${t("pop.wait")} level=${ticket.wait_ms > limit * 1000 ? "bad" : "good"}>${seconds(ticket.wait_ms)}<//>
      <${Fact} name=${t("pop.ring")}>${seconds(ticket.ring_ms)}<//>
      <${Fact} name=${t("pop.answered_at")}>${timeOf(ticket.answered_at)}<//>
      <${Fact} name=${t("pop.ticket")} level="id">${ticket.ticket_id}<//>
    </dl>
    <${StubForm} ticket=${ticket} key=${`stub-${ticket.ticket_id}`} />
    <${EmergencyPanel} ticket=${ticket} key=${`emergency-${ticket.ticket_id}`} />
    <${TransferPanel} ticket=${ticket} key=${`transfer-${ticket.ticket_id}`} />
    <${VoiceKeys} ticket=${ticket} key=${`voice-${ticket.ticket_id}`} />
    <${OutageNotes} />
    <${ChasedTickets} ticket=${ticket} key=${`chased-${ticket.ticket_id}`} />
    <${CallersRating} ticket=${ticket} key=${`rating-${ticket.ticket_id}`} />
    <${Replies} ticket=${ticket} key=${`replies-${ticket.ticket_id}`} />
    ${calledBack(ticket) && html`<${Conversations} ticketId=${ticket.ticket_id} />`}
    <h3>${t("pop.history")}${ticket.calls_in_month > 1 && html`<span class="count num" data-test="in-month">${t("stub.in_month", { n: ticket.calls_in_month })}</span>`}</h3>
    <${History} ticket=${ticket} />
    <${AskBlock} ticket=${ticket} key=${`block-${ticket.ticket_id}`} />
    <footer>
      <button onClick=${copyNumber} title="Alt+C">${t("pop.copy")}<kbd>Alt C</kbd></button>
      ${me.value.person.role !== "admin" && ticket.caller && html`<${CallbackButton} ticketId=${ticket.ticket_id} key=${ticket.ticket_id} />`}
    </footer>
  </section>`;
}

export function Idle() {
  const { queue, waiting, limit_s: limit } = board.value ?? { queue: {}, waiting: [], limit_s: 15 };
  const line = mine.value;
  useEffect(() => void loadWords(), []); // before the first call: a pop waits for nothing
  if (line?.state === "ringing") {
    const call = waiting.find((entry) => entry.ringing.includes(line.number));
    return html`<section class="card idle ringing" data-test="ringing">
      <${Countdown} since=${line.since} limit=${limit} size="large" />
      <div><h2>${t("idle.ringing")}</h2><p class="num big">${call?.caller_masked ?? ""}</p></div></section>`;
  }
  return html`<section class="card idle" data-test="idle">
    <div class="grow"><h2>${t(line?.state === "ready" ? "idle.ready" : line?.state === "signed_out" || !line ? "idle.out" : "idle.other")}</h2>
      <p class="muted">${t("idle.hint")}</p></div>
    <div class="mini"><small>${t("state.ready")}</small><b class="num">${queue.ready ?? "–"}</b></div>
    <div class="mini"><small>${t("state.talking")}</small><b class="num">${queue.talking ?? "–"}</b></div>
  </section>`;
}
