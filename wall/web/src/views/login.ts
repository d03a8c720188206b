// The form for those who have not logged in.

import { HttpProblem, sendJson } from "../http.ts";
import { el } from "../ui/dom.ts";
import { icon } from "../ui/icons.ts";

/** Shows the form in `host` until a login succeeds, then calls `done`. */
export function showLogin(host: HTMLElement, done: () => void): void {
  const name = el("input", { id: "login-name", autocomplete: "username", autocapitalize: "none", spellcheck: "false" });
  const password = el("input", { id: "login-password", type: "password", autocomplete: "current-password" });
  const token = el("input", { id: "login-token", type: "password", autocomplete: "off" });
  const byName = el("div", { class: "stack" }, field("Name", name), field("Password", password));
  const byToken = el("div", { class: "stack", hidden: true }, field("Token", token));
  const problem = el("p", { class: "note bad", role: "alert", hidden: true });
  const submit = el("button", { class: "primary", type: "submit" }, "Log in");
  const other = el("button", { class: "plain", type: "button" }, "Use a token instead");
  const form = el(
    "form",
    { class: "panel stack login" },
    el("div", { class: "row" }, icon("body", 28), el("h1", null, "posebus wall")),
    byName,
    byToken,
    problem,
    el("div", { class: "row" }, submit, other),
  );

  other.addEventListener("click", () => {
    byName.hidden = !byName.hidden;
    byToken.hidden = !byToken.hidden;
    other.textContent = byToken.hidden ? "Use a token instead" : "Use name and password";
    (byToken.hidden ? name : token).focus();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    submit.disabled = true;
    problem.hidden = true;
    try {
      await sendJson(
        "POST",
        "/api/login",
        byToken.hidden ? { name: name.value, password: password.value } : { token: token.value },
      );
      done();
    } catch (error) {
      problem.hidden = false;
      problem.textContent = error instanceof HttpProblem ? error.sentence : "The login failed.";
      password.value = "";
      (byToken.hidden ? password : token).focus();
    } finally {
      submit.disabled = false;
    }
  });
  host.replaceChildren(el("main", { class: "centre full" }, form));
  name.focus();
}

function field(label: string, input: HTMLInputElement): HTMLElement {
  return el("label", { class: "field", for: input.id }, label, input);
}
