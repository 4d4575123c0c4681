import { useState } from "preact/hooks";
import { ask } from "./api.js";
import { problemText, t } from "./i18n.js";
import { enter } from "./route.js";
import { html, Switches } from "./ui.js";

export function Login() {
  const [problem, setProblem] = useState(null);
  const [busy, setBusy] = useState(false);

  async function submit(event) {
    event.preventDefault();
    const form = new FormData(event.target);
    setBusy(true);
    const answer = await ask("POST", "/session", { number: form.get("number").trim(), pin: form.get("pin") });
    setBusy(false);
    setProblem(answer.ok ? null : answer.problem);
    if (answer.ok) await enter();
  }

  const wait = problem?.retry && t("login.wait", { s: problem.retry });
  return html`<main class="login">
    <form onSubmit=${submit} autocomplete="on">
      <img src="/static/icon.svg" alt="" width="56" height="56" />
      <h1>${t("login.title")}</h1>
      <p class="muted">${t("login.hint")}</p>
      <label>${t("login.number")}
        <input name="number" inputmode="numeric" autocomplete="username" maxlength="16" required autofocus data-test="number" /></label>
      <label>${t("login.pin")}
        <input name="pin" type="password" inputmode="numeric" autocomplete="current-password" maxlength="64" required data-test="pin" /></label>
      <p class="error" role="alert" data-test="login-error">${problem ? `${problemText(problem)}${wait ? ` · ${wait}` : ""}` : ""}</p>
      <button class="primary" disabled=${busy} data-test="login">${t("login.button")}</button>
      <div class="row end"><${Switches} /></div>
    </form>
  </main>`;
}
