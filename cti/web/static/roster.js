// The roster: who works when.
import { Banners, html, TopBar } from "./ui.js";

export const RosterPage = () => html`<div class="page roster"><${TopBar} /><${Banners} /></div>`;
