// The chats of this browser: kept on every answer, listed, searched, renamed, deleted, shown again after a reload,
// saved as a file. Nothing of them leaves the browser but the chat that is shown, which the server draws.
import { get, newId, remove as forget, set } from "./storage.js";
import { t } from "./texts.js";

const CHATS = "gapbot.chats", HERE = "gapbot.here", DRAFT = "gapbot.draft", MOST = 100;
const dialog = () => document.querySelector("#chats");
const read = () => { try { return JSON.parse(get("localStorage", CHATS)) ?? []; } catch { return []; } };
const here = () => get("sessionStorage", HERE);
const busy = () => document.querySelector(".turn.asking") !== null;
const ask = (detail) => document.dispatchEvent(new CustomEvent("gapbot:ask", { detail }));
let shown = [];
let opening = null; // the kept chat that the server was asked to draw

function write(chats) {
  // A full store loses its oldest chats, not the newest.
  let kept = chats.slice(0, MOST);
  while (!set("localStorage", CHATS, JSON.stringify(kept)) && kept.length > 1) kept = kept.slice(0, -1);
}

// Turns go on from those that are kept when all but the last of them still stand: that one may have been edited.
const goesOn = (turns, kept) => Array.isArray(kept) && turns.length >= kept.length && kept.slice(0, -1).every((x, i) => x.question === turns[i].question);

// What is typed and not yet asked outlasts a reload; the box may be drawn after the transcript.
const box = () => document.querySelector("#question textarea");
const keepDraft = () => box() && set("sessionStorage", DRAFT, box().value);
document.addEventListener("input", (event) => { if (event.target === box()) keepDraft(); });
document.addEventListener("click", (event) => { if (event.target.closest?.("#new")) forget("sessionStorage", DRAFT); });
function redraft(text, tries = 100) {
  if (!box()) return tries && setTimeout(redraft, 100, text, tries - 1);
  if (box().value) return;
  box().value = text;
  box().dispatchEvent(new Event("input", { bubbles: true }));
}

document.addEventListener("gapbot:turns", ({ detail }) => {
  keepDraft();
  shown = detail;
  const opened = opening?.turns.length === detail.length && goesOn(detail, opening.turns) ? opening : null;
  opening = null;
  if (detail.length === 0) return forget("sessionStorage", HERE);
  let before = opened ?? read().find((chat) => chat.id === here());
  // An earlier question edited, or a chat that the server has lost: what was kept stays, and this is a chat of its own.
  if (before && !goesOn(detail, before.turns)) before = null;
  const id = before?.id ?? newId();
  set("sessionStorage", HERE, id);
  const chat = { id, title: before?.title ?? detail[0].question.slice(0, 80), at: Date.now(), turns: detail };
  write([chat, ...read().filter((other) => other.id !== id)]);
  if (dialog()?.open) list();
});

function restore(chat) {
  opening = chat;
  // What is no list of turns is refused by the server, in words.
  ask({ restore: Array.isArray(chat.turns) ? chat.turns.slice(-MOST) : chat.turns });
}

// A link to a question asks it; otherwise the chat of this tab is shown again.
function begin() {
  const address = new URL(location);
  const question = address.searchParams.get("q");
  // What is asked by a link is no follow-up of the chat before it.
  if (question) {
    address.searchParams.delete("q");
    history.replaceState(null, "", address);
    forget("sessionStorage", HERE);
    forget("sessionStorage", DRAFT);
    return ask({ question });
  }
  const draft = get("sessionStorage", DRAFT);
  if (draft) redraft(draft);
  const chat = read().find((c) => c.id === here());
  if (chat) restore(chat);
}
let begun = false;
const once = () => { if (!begun) { begun = true; begin(); } };
document.addEventListener("gapbot:ready", once);
if (document.querySelector("#transcript .log")) once();

function row(chat) {
  const item = document.createElement("li");
  const open = document.createElement("button");
  open.type = "button";
  open.className = "chat-title";
  open.textContent = chat.title;
  if (chat.id === here()) open.setAttribute("aria-current", "true");
  open.append(Object.assign(document.createElement("span"), { textContent: new Date(chat.at).toLocaleString([], { dateStyle: "short", timeStyle: "short" }) }));
  open.disabled = busy(); // an answer under way belongs to the chat that is shown
  open.addEventListener("click", () => { restore(chat); dialog().close(); });
  const rename = tool(t("Rename"), () => renaming(item, chat));
  const remove = tool(t("Delete"), () => {
    // Nothing brings it back: the second press deletes.
    if (!remove.dataset.sure) {
      remove.dataset.sure = "true";
      remove.textContent = t("Really delete?");
      remove.setAttribute("aria-label", `${t("Really delete?")} ${chat.title}`);
      return;
    }
    write(read().filter((other) => other.id !== chat.id));
    if (chat.id === here()) document.querySelector("#new").click();
    list();
  });
  rename.setAttribute("aria-label", `${t("Rename")}: ${chat.title}`);
  remove.setAttribute("aria-label", `${t("Delete")}: ${chat.title}`);
  item.append(open, rename, remove);
  return item;
}

function tool(text, press) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "tool", textContent: text });
  button.addEventListener("click", press);
  return button;
}

function renaming(item, chat) {
  const field = Object.assign(document.createElement("input"), { value: chat.title, maxLength: 80, className: "renaming" });
  field.setAttribute("aria-label", t("Rename"));
  const end = (keep) => {
    if (keep && field.value.trim()) write(read().map((c) => (c.id === chat.id ? { ...c, title: field.value.trim() } : c)));
    list();
  };
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing) end(true);
    if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); end(false); }
  });
  item.replaceChildren(field);
  field.select();
}

function list() {
  const wanted = document.querySelector("#chats-search").value.toLowerCase();
  const found = read().filter((chat) => !wanted || JSON.stringify([chat.title, chat.turns.map((x) => [x.question, x.answer?.text])]).toLowerCase().includes(wanted));
  document.querySelector("#chats-list").replaceChildren(...found.map(row));
  document.querySelector("#chats-none").hidden = found.length > 0;
  dialog().querySelectorAll("[data-export]").forEach((button) => { button.disabled = shown.length === 0; });
}

document.addEventListener("input", (event) => { if (event.target.id === "chats-search") list(); });
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-chats]")) { list(); dialog().showModal(); document.querySelector("#chats-search").focus(); }
  const close = event.target.closest("[data-close]");
  if (close) close.closest("dialog").close();
  if (event.target.matches?.("dialog")) event.target.close(); // the shade around it
  const kind = event.target.closest("[data-export]")?.dataset.export;
  if (kind === "print") { dialog().close(); print(); }
  else if (kind) save(kind === "md" ? markdown() : JSON.stringify(shown, null, 1), `gapbot.${kind}`, kind === "md" ? "text/markdown" : "application/json");
});

function markdown() {
  return shown.map(({ question, answer, error }) => {
    const lines = [`## ${question.replace(/\s+/g, " ")}`];
    if (!answer) return [...lines, error ?? ""].join("\n\n");
    if (answer.read_as && answer.read_as !== question) lines.push(`*${t("I read this as:")} ${answer.read_as}*`);
    if (answer.short) lines.push(`**${answer.short}**`);
    lines.push(answer.text);
    const source = (c) => `${c.marker}. ${[c.publisher, c.title, c.date].filter(Boolean).join(", ")}${/^https?:/.test(c.url ?? "") ? ` <${c.url}>` : ""}\n   > ${c.quote.replace(/\s+/g, " ")}`;
    if (answer.citations.length) lines.push(`### ${t("Sources")}`, answer.citations.map(source).join("\n"));
    if (answer.closest.length) lines.push(`### ${t("Closest passages – not an answer")}`, answer.closest.map(source).join("\n"));
    return lines.join("\n\n");
  }).join("\n\n") + "\n";
}

function save(text, name, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
