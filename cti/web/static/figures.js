// Figures of today on the desk: of the hotline and of each agent, each under the clock that it is read from.
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { filler } from "./duty.js";
import { clockText, percent, seconds, timeOf } from "./format.js";
import { t } from "./i18n.js";
import { nameOf } from "./model.js";
import { html } from "./ui.js";

const AGAIN_MS = 15_000; // figures move with calls, which are no change of duty
const day = signal(null);
const agents = signal([]);
const [fillDay, fillAgents] = [day, agents].map(filler);

function load() {
  fillDay("GET", "/figures");
  fillAgents("GET", "/figures/agents");
}

const valueOf = (name, { value }) => (name.endsWith("_ms") ? seconds(value) : value === null ? "–" : `${percent(value)} %`);

const Figure = ({ name, figure, limit }) => html`<div data-test="figure" data-name=${name}>
  <dt>${t(`figures.${name}`, { s: limit })}</dt><dd class="num">${valueOf(name, figure)}</dd>
  <small>${t(`figures.clock.${figure.clock}`)} · ${t("figures.of", { n: figure.of })}</small></div>`;

const Agent = ({ line }) => html`<tr data-test="agent-figures" data-agent=${line.agent}>
  <td>${nameOf(line.agent)} <small class="num">${line.agent}</small></td>
  <td class="right num">${line.answered} / ${line.offers}</td>
  <td class=${line.missed ? "right num amiss" : "right num"}>${line.missed}</td>
  <td class="right num">${valueOf("ring_within", line.figures.ring_within)}</td>
  <td class="right num">${clockText(line.talk_ms)}</td><td class="right num">${clockText(line.on_queue_ms)}</td>
  <td class="right num">${valueOf("occupancy", line.figures.occupancy)}</td></tr>`;

export function Figures() {
  useEffect(() => {
    load();
    const timer = setInterval(load, AGAIN_MS);
    return () => clearInterval(timer);
  }, []);
  if (!day.value) return null;
  const { total, limit_s: limit, unseen } = day.value;
  const lost = total.lost_calls, { full = 0, closed = 0, lines = 0 } = total.shut_out;
  return html`<section class="card figures" data-test="figures"><h2>${t("figures.title")}</h2>
    <dl>${Object.entries(total.figures).map(([name, figure]) => html`<${Figure} name=${name} figure=${figure} limit=${limit} key=${name} />`)}</dl>
    ${lost.length > 0 && html`<p class="amiss" data-test="lost-calls">${t("figures.lost", { n: lost.length, calls: lost.join(t("punct.comma")) })}</p>`}
    ${full + closed + lines > 0 && html`<p class="amiss" data-test="shut-out">${t("figures.shut_out", { full, closed, lines })}</p>`}
    ${total.rounded > 0 && html`<p class="muted">${t("figures.rounded", { n: total.rounded })}</p>`}
    ${unseen.map((gap) => html`<p class="muted" key=${gap.began_at}>${t("figures.unseen", { from: timeOf(gap.began_at), to: timeOf(gap.ended_at) })}</p>`)}
    <table class="list"><thead><tr><th>${t("adherence.agent")}</th><th class="right">${t("figures.taken")}</th><th class="right">${t("adherence.missed")}</th>
      <th class="right">${t("figures.ring_within", { s: limit })}</th><th class="right">${t("figures.talk")}</th>
      <th class="right">${t("figures.on_queue")}</th><th class="right">${t("figures.occupancy")}</th></tr></thead>
      <tbody>${agents.value.map((line) => html`<${Agent} line=${line} key=${line.agent} />`)}</tbody></table></section>`;
}
