// The shift lead's desk: requests that wait, the handover, findings.
import { Adherence, Findings } from "./findings.js";
import { Directory } from "./directory.js";
import { EmergencyBar } from "./emergency.js";
import { Figures } from "./figures.js";
import { Handover } from "./handover.js";
import { Ledgers } from "./ledger.js";
import { MissedCallers } from "./missed.js";
import { Blocks } from "./nuisance.js";
import { Requests } from "./requests.js";
import { OutageDesk } from "./voice.js";
import { Surges } from "./surge.js";
import { Banners, html, TopBar } from "./ui.js";

export const DeskPage = () => html`<div class="page desk"><${TopBar} /><${Banners} /><${EmergencyBar} /><${Surges} />
  <div class="desk-columns">
    <${Requests} /><${MissedCallers} /><${Blocks} /><${OutageDesk} /><${Handover} /><${Findings} />
  </div><${Figures} /><${Adherence} /><${Ledgers} /><${Directory} /></div>`;
