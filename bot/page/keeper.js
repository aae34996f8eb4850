// The keeper's page: sign in, send files one after the other, follow the index, remove documents.
import { t } from "./texts.js";

const at = (id) => document.getElementById(id);
const inside = at("inside"), form = at("sign-in"), uploads = at("uploads"), state = at("index-state");
const UNREACHABLE = "The server cannot be reached. Try again.";
let following = null; // the timer that looks how far the index is
let indexed = true; // whether the lists show what the index holds

async function call(path, options = {}) {
  const reply = await fetch(`/keeper/${path}`, options).catch(() => null);
  if (reply?.status === 401 && path !== "session") show(false);
  return reply;
}

async function message(reply) {
  if (!reply) return t(UNREACHABLE);
  const body = await reply.json().catch(() => null);
  return t(body?.error?.message ?? UNREACHABLE);
}

function show(signedIn) {
  form.hidden = signedIn;
  inside.hidden = at("sign-out").hidden = !signedIn;
  if (signedIn) return;
  clearTimeout(following);
  at("lists").replaceChildren();
  uploads.querySelectorAll(":scope > :not(.bad)").forEach((line) => line.remove());
  state.textContent = "";
  at("removing").close();
  at("password").focus();
}

async function lists() {
  const reply = await call("lists");
  if (!reply?.ok) return reply;
  const named = (element) => ["href", "data-remove", "data-more"].map((name) => element.getAttribute(name)).find(Boolean);
  const held = at("lists").contains(document.activeElement) ? named(document.activeElement) : null;
  at("lists").innerHTML = await reply.text(); // escaped by the server's templates; the policy of the page runs no script in it
  if (held) [...at("lists").querySelectorAll("[href], [data-remove], [data-more]")].find((x) => named(x) === held)?.focus();
  return reply;
}

// Signing in and out

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const headers = { "content-type": "application/json" };
  const reply = await call("session", { method: "POST", headers, body: JSON.stringify({ password: at("password").value }) });
  at("sign-in-problem").textContent = reply?.ok ? "" : await message(reply);
  if (!reply?.ok) return at("password").select();
  at("password").value = "";
  await enter();
  at("files").focus();
});

at("sign-out").addEventListener("click", async () => {
  await call("session", { method: "DELETE" });
  show(false);
});

async function enter() {
  const reply = await lists();
  show(Boolean(reply?.ok));
  if (reply?.ok) follow();
  else if (reply?.status !== 401) at("sign-in-problem").textContent = await message(reply);
}

// Following the index

async function follow() {
  clearTimeout(following);
  const reply = await call("status");
  if (!reply?.ok) {
    if (reply?.status !== 401) following = setTimeout(follow, 3000);
    return;
  }
  const { stage, done, total, problem } = await reply.json();
  const told = stage ? `${t("The index is being brought up to date:")} ${t(stage)}${total ? ` ${done} / ${total}` : ""}` : problem || t("The index is up to date.");
  if (state.textContent !== told) state.textContent = told;
  state.classList.toggle("problem", Boolean(problem) && !stage);
  state.classList.toggle("busy", Boolean(stage));
  if (stage) indexed = false;
  else if (!indexed) { indexed = true; await lists(); }
  if (stage) following = setTimeout(follow, 700);
}

// Sending files

const waiting = [];
let sending = false;

function take(files) {
  for (const file of files) {
    const line = document.createElement("li");
    const name = Object.assign(document.createElement("span"), { className: "file", textContent: file.name });
    const bar = Object.assign(document.createElement("progress"), { max: 100, value: 0 });
    bar.setAttribute("aria-label", file.name);
    const told = Object.assign(document.createElement("span"), { className: "told", textContent: t("Waiting") });
    line.append(name, bar, told);
    uploads.prepend(line);
    waiting.push({ file, line, bar, told });
  }
  if (!sending) sendAll();
}

async function sendAll() {
  sending = true;
  while (waiting.length) await send(waiting.shift());
  sending = false;
  indexed = false;
  await lists();
  follow();
}

const DONE = { added: "Added", replaced: "Took the place of the former one", known: "Already here" };

async function send({ file, line, bar, told }) {
  const end = (text, bad) => {
    bar.remove();
    told.textContent = text;
    line.classList.add(bad ? "bad" : "good");
    told.setAttribute("role", bad ? "alert" : "status");
  };
  const most = Number(at("files").dataset.most);
  if (file.size > most) return end(`${t("It is larger than the most for one file:")} ${Math.floor(most / 1e6)} MB`, true);
  const { status, body } = await sent(file, (share) => {
    bar.value = share * 100;
    if (share === 1) { bar.removeAttribute("value"); told.textContent = t("Reading"); }
    else told.textContent = `${Math.floor(share * 100)}%`;
  });
  if (status === 200) end(`${t(DONE[body.outcome])}${body.outcome === "known" && body.name !== file.name ? `: ${body.name}` : ""}`, false);
  else end(t(body?.error?.message ?? UNREACHABLE), true);
  if (status === 401) {
    // The rest would be sent whole and refused as well.
    for (const left of waiting.splice(0)) { left.bar.remove(); left.told.textContent = t("Not sent: sign in again"); left.line.classList.add("bad"); }
    show(false);
  }
}

/** Send a file; fetch tells nothing of how far it is, so this is the older way. */
function sent(file, progress) {
  return new Promise((done) => {
    const request = new XMLHttpRequest();
    request.open("POST", `/keeper/documents?name=${encodeURIComponent(file.name)}`);
    request.setRequestHeader("content-type", "application/octet-stream");
    request.responseType = "json";
    request.upload.onprogress = (event) => progress(event.total ? event.loaded / event.total : 1);
    request.onloadend = () => done({ status: request.status, body: request.response });
    request.send(file);
  });
}

at("files").addEventListener("change", (event) => { take(event.target.files); event.target.value = ""; });
for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    if (inside.hidden) return;
    event.preventDefault(); // a file dropped beside the field must not replace the page
    at("drop").classList.toggle("over", kind === "dragenter" || kind === "dragover");
    if (kind === "drop") take([...event.dataTransfer.files]);
  });
}

// Removing, and more rows

document.addEventListener("click", async (event) => {
  const remove = event.target.closest?.("[data-remove]"), more = event.target.closest?.("[data-more]");
  if (remove) {
    at("removing-name").textContent = remove.dataset.remove;
    at("removing").showModal();
  } else if (more) {
    const reply = await call(`documents?skip=${more.dataset.more}`);
    if (!reply?.ok) return;
    const last = more.closest("tr"), before = last.previousElementSibling;
    last.insertAdjacentHTML("afterend", await reply.text());
    last.remove();
    const next = before?.nextElementSibling ?? at("rows").lastElementChild;
    next?.setAttribute("tabindex", "-1");
    next?.focus();
  }
});
at("keep").addEventListener("click", () => at("removing").close());
at("remove").addEventListener("click", async () => {
  const name = at("removing-name").textContent;
  const reply = await call(`documents/${encodeURIComponent(name)}`, { method: "DELETE" });
  at("removing").close();
  if (reply?.ok) { indexed = false; await lists(); follow(); at("documents")?.querySelector("button")?.focus(); }
  else if (reply?.status !== 401) { state.textContent = await message(reply); state.classList.add("problem"); }
});

enter();
