// The handover: the lead's desk with every pair, and the part of the agent's page with the own pair.
import { signal } from "@preact/signals";
import { filler, useDuty } from "./duty.js";
import { clockText, dayTime } from "./format.js";
import { GapCount, Gaps, gaps, handovers } from "./handover_gaps.js";
import { act, AddLine, refusal, Sheet } from "./handover_sheet.js";
import { t } from "./i18n.js";
import { openTicket } from "./live.js";
import { me, nameOf, now } from "./model.js";
import { html, Notice, Since } from "./ui.js";

const current = signal({ handovers: [], names: {} });
const wanted = signal({}); // handover -> outgoing -> incoming, as chosen but not yet saved
const fill = filler(current);
const load = () => fill("GET", "/handovers/current");

const named = (number) => nameOf(number, current.value.names);
const Person = ({ number }) => html`<b>${named(number)}</b> <small class="num">${number}</small>`;
const liveOf = (id) => handovers.value.find((entry) => entry.id === id) ?? { pairs: [], candidates: [] };
// Nothing on the first paint, before the board is there: then nothing is said of who is present.
const livePair = (live, pair) => live.pairs.find((entry) => entry.outgoing === pair.outgoing);

function ToGo({ at }) {
  const left = Date.parse(at) - now.value;
  return html`<span class=${`to-go num ${left < 0 ? "bad" : ""}`} data-test="to-go">
    ${t(left < 0 ? "handover.past" : "handover.to_go", { for: clockText(Math.abs(left)) })}</span>`;
}

const Presence = ({ live, incoming }) => {
  if (!incoming) return html`<span class="mark">${t("handover.nobody")}</span>`;
  if (!live) return null;
  return html`<span class=${`mark ${live.present ? "good" : "near"}`} data-test="presence" data-present=${Boolean(live.present)}>
    ${t(live.present ? "handover.present" : "handover.absent")}</span>`;
};

const Overtime = ({ live }) => live?.overtime_from && html`<span class="mark bad" data-test="overtime">
  ${t(`handover.overtime.${live.overtime_why}`)} <span class="num"><${Since} iso=${live.overtime_from} /></span></span>`;

const Progress = ({ live }) => live &&
  html`<span class=${`mark ${live.over ? "good" : ""}`}>${t(live.over ? "handover.over" : live.left ? "handover.left" : "handover.holds")}</span>`;

const chosenFor = (handover) => wanted.value[handover.handover_id] ?? {};

function choose(handover, pair, value) {
  const incoming = value || null;
  const { [pair.outgoing]: _, ...others } = chosenFor(handover);
  const chosen = incoming === pair.incoming ? others : { ...others, [pair.outgoing]: incoming };
  wanted.value = { ...wanted.value, [handover.handover_id]: chosen };
}

function Relief({ handover, pair, live, candidates, editable }) {
  if (!editable || live?.left || pair.out_signed_at) {
    return pair.incoming ? html`<${Person} number=${pair.incoming} />` : html`<span class="muted">–</span>`;
  }
  const choices = chosenFor(handover);
  const chosen = pair.outgoing in choices ? choices[pair.outgoing] : pair.incoming;
  return html`<select value=${chosen ?? ""} data-test=${`relief-${pair.outgoing}`} aria-label=${t("handover.incoming")}
      onChange=${(event) => choose(handover, pair, event.target.value)}>
    <option value="">${t("handover.nobody")}</option>
    ${[...new Set([...candidates, ...(pair.incoming ? [pair.incoming] : [])])].map((number) =>
      html`<option value=${number} selected=${number === chosen}>${number} ${named(number)}</option>`)}</select>`;
}

async function savePairs(handover) {
  const choices = chosenFor(handover);
  const own = handover.pairs.filter((pair) => pair.outgoing in choices);
  const pairs = own.map((pair) => ({ outgoing: pair.outgoing, incoming: choices[pair.outgoing] }));
  if (!(await act(`${encodeURIComponent(handover.handover_id)}/pairs`, { pairs }))) return;
  const { [handover.handover_id]: _, ...others } = wanted.value;
  wanted.value = others;
}

const DeskPair = ({ handover, pair, live, leads }) => html`<article class="pair" data-test="pair" data-outgoing=${pair.outgoing}>
  <header><span class="seat-tag num">${pair.seat ?? "–"}</span>
    <span><${Person} number=${pair.outgoing} /></span><span class="arrow" aria-hidden="true">→</span>
    <span><${Relief} handover=${handover} pair=${pair} live=${livePair(live, pair)} candidates=${live.candidates} editable=${leads} /></span>
    <span class="grow"></span><${Overtime} live=${livePair(live, pair)} />
    <${Presence} live=${livePair(live, pair)} incoming=${pair.incoming} /><${Progress} live=${livePair(live, pair)} /></header>
  <${Sheet} pair=${pair} side=${leads ? "lead" : ""} />
  ${leads && !pair.out_signed_at && html`<${AddLine} handoverId=${handover.handover_id} outgoing=${pair.outgoing} />`}</article>`;

export function Handover() {
  useDuty(load);
  const leads = me.value.person.role === "lead";
  return html`<section class="card handover" data-test="handover"><h2>${t("handover.title")}</h2>
    <${Gaps} />
    <${Notice} problem=${refusal.value} onClose=${() => (refusal.value = null)} />
    ${!current.value.handovers.length && html`<p class="muted none">${t("handover.none")}</p>`}
    ${current.value.handovers.map((handover) => html`<div key=${handover.handover_id}>
      <p class="when"><b class="num">${dayTime(handover.at)}</b> <${ToGo} at=${handover.at} /><span class="grow"></span>
        ${leads && handover.pairs.some((pair) => pair.outgoing in chosenFor(handover)) && html`<button class="primary" data-test="save-pairs"
          onClick=${() => savePairs(handover)}>${t("handover.save_pairs")}</button>`}</p>
      ${handover.pairs.map((pair) => html`<${DeskPair} handover=${handover} pair=${pair} live=${liveOf(handover.handover_id)}
        leads=${leads} key=${pair.outgoing} />`)}</div>`)}</section>`;
}

function OwnPair({ handover, pair }) {
  const number = me.value.person.number;
  const side = pair.outgoing === number ? "outgoing" : "incoming";
  const live = livePair(liveOf(handover.handover_id), pair);
  const signed = side === "outgoing" ? pair.out_signed_at : pair.in_signed_at;
  const other = side === "outgoing" ? pair.incoming : pair.outgoing;
  return html`<section class="card handover own" data-test="own-handover" data-side=${side}>
    <h2>${t(`handover.own.${side}`, { seat: pair.seat ?? "–" })} <${ToGo} at=${handover.at} /></h2>
    <p class="when">${t(side === "outgoing" ? "handover.incoming" : "handover.outgoing")}${t("punct.colon")}
      ${other ? html`<${Person} number=${other} />` : t("handover.nobody")}
      ${side === "outgoing" && html`<${Presence} live=${live} incoming=${pair.incoming} />`}<${Overtime} live=${live} /></p>
    <${Notice} problem=${refusal.value} onClose=${() => (refusal.value = null)} />
    <${Sheet} pair=${pair} side=${side} onOpen=${openTicket} />
    ${side === "outgoing" && !signed && html`<${AddLine} handoverId=${handover.handover_id} outgoing=${pair.outgoing} />`}
    ${other && !signed && html`<button class="primary sign" data-test="sign-sheet"
      onClick=${() => act(`${encodeURIComponent(handover.handover_id)}/sign`)}>${t(`handover.sign.${side}`)}</button>`}
    ${signed && !live?.left && html`<p class="muted">${t(`handover.next.${side}`)}</p>`}</section>`;
}

const OwnGap = ({ gap }) => html`<section class=${`card own-gap ${gap.alarmed ? "bad" : ""}`} data-test="own-gap">
  <${GapCount} gap=${gap} size="large" />
  <div><h2>${t("handover.seat_empty", { seat: gap.seat })}</h2>
    <p>${t(gap.incoming === me.value.person.number ? "handover.sign_in_now" : "handover.gap_watch", { seat: gap.seat })}</p></div></section>`;

export function OwnHandover() {
  useDuty(load);
  const number = me.value.person.number;
  const mine = (pair) => number === pair.outgoing || number === pair.incoming;
  return html`${gaps.value.filter(mine).map((gap) => html`<${OwnGap} gap=${gap} key=${gap.seat} />`)}
    ${current.value.handovers.map((handover) => handover.pairs.filter(mine).map((pair) =>
      html`<${OwnPair} handover=${handover} pair=${pair} key=${handover.handover_id + pair.outgoing} />`))}`;
}
