// Recordings that may be heard here: of the call that a ticket came from, and of the callbacks about it.
import { useEffect, useState } from "preact/hooks";
import { ask } from "./api.js";
import { dayTime } from "./format.js";
import { t } from "./i18n.js";
import { html } from "./ui.js";

const playable = (state) => ["ok", "repaired", "short"].includes(state);

// Nothing is loaded before it is asked for: what is sent is written down as heard.
function Player({ path, state, name, label }) {
  if (!playable(state)) return html`<p class="muted" data-test=${`no-${name}`}>${state ? t(`recording.${state}`) : t("callback.no_recording")}</p>`;
  return html`<audio controls preload="none" data-test=${name} aria-label=${label} src=${`/api/v1${path}`}></audio>`;
}

export const OfTicket = ({ ticketId, state }) => html`<${Player} path=${`/tickets/${encodeURIComponent(ticketId)}/recording`}
  state=${state} name="recording" label=${t("callback.recording")} />`;

export const Talk = ({ callbackId, ordinal, state }) => html`<${Player} path=${`/callbacks/${encodeURIComponent(callbackId)}/recordings/${ordinal}`}
  state=${state} name="conversation" label=${t("callback.conversation")} />`;

// On the ticket: the conversations about it that this person may hear.
export function Conversations({ ticketId }) {
  const [talks, setTalks] = useState([]);
  useEffect(() => {
    ask("GET", `/tickets/${encodeURIComponent(ticketId)}/conversations`).then((answer) => answer.ok && setTalks(answer.value));
  }, [ticketId]);
  if (!talks.length) return null;
  return html`<section aria-label=${t("callback.conversation")} data-test="conversations"><h3>${t("callback.conversation")}</h3>
    ${talks.map((one) => html`<p key=${`${one.callback_id}-${one.ordinal}`}><span class="num">${dayTime(one.answered_at)} · ${one.agent}</span>
      <${Talk} callbackId=${one.callback_id} ordinal=${one.ordinal} state=${one.recording} /></p>`)}</section>`;
}
