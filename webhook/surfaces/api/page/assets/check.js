// The check page: checks while typing stops, applies fixes, and reads files, examples and links.
import * as editor from "./editor.js";
import {MOST_LINK, linkTo, readLink} from "./links.js";
import {complete, element, headline, marksOf, showProblem, showReport} from "./report.js";

const byId = (id) => document.getElementById(id);
const verdict = byId("verdict"), answer = byId("answer"), begin = byId("start"), notice = byId("notice"), progress = byId("progress");
const release = byId("release"), profile = byId("profile"), token = byId("token"), examples = byId("examples");
const PAUSE = 400, LARGE = 1 << 18, MOST_DRAFT = 1 << 18, TRIES = 3;
const DRAFT = "migratable-draft";
const SIGNS = {deny: "✕", warn: "!", open: "?", good: "✓", note: "i"};
let turn = 0, timer = 0, running = new AbortController(), example = "";

// The verdict

function say(state, words, details = "", hasAnswer = false) {
  const mark = element("span", "mark", SIGNS[state]);
  mark.ariaHidden = "true";
  verdict.className = `verdict scripted ${state}`;
  verdict.replaceChildren(element("div", "", element("p", "headline", mark, words), element("p", "small", details)));
  if (!hasAnswer) return;
  const jump = element("button", "jump", "Show");
  jump.type = "button";
  jump.ariaLabel = "Show the findings";
  jump.addEventListener("click", () => byId("answer-label").scrollIntoView());
  verdict.append(jump);
}

const span = (label) => (label === "any" ? release.dataset.any : label);

function showDefault(report) {
  if (release.value === "") release.options[0].text = `${span(report.release)} (default)`;
}

// The check

async function post(query, signal) {
  const fields = new URLSearchParams(query);
  if (release.value) fields.set("release", release.value);
  if (profile.value !== profile.dataset.default) fields.set("profile", profile.value);
  const headers = {"Content-Type": "application/yaml"};
  if (token?.value) headers.Authorization = `Bearer ${token.value}`;
  for (let attempt = 1; ; attempt += 1) {
    const response = await fetch(`/v1/check?${fields}`, {method: "POST", headers, body: editor.text(), signal});
    if (response.status !== 503 || attempt === TRIES) return response;
    const seconds = Number(response.headers.get("Retry-After")) || 1;
    await new Promise((done) => { setTimeout(done, seconds * 1000); });
  }
}

// The body says whether a check is due or under way, for programs that wait for the answer.
const busy = (isBusy) => { document.body.dataset.checking = isBusy ? "yes" : "no"; };

async function check() {
  clearTimeout(timer);
  const mine = ++turn;
  busy(true);
  running.abort();
  running = new AbortController();
  keepDraft();
  if (!editor.text().trim()) return empty();
  progress.textContent = "Checking…";
  try {
    const response = await post("unreadable=true", running.signal);
    const body = await response.json();
    if (mine !== turn) return;
    progress.textContent = "";
    if (response.ok) await show(body, mine);
    else refuse(body);
  } catch (error) {
    if (mine !== turn || error.name === "AbortError") return;
    progress.textContent = "";
    say("note", "No answer", "The server did not answer. Check again in a moment.");
  } finally {
    if (mine === turn) busy(false);
  }
}

function fill(...parts) {
  begin.hidden = true;
  answer.hidden = false;
  answer.replaceChildren(...parts);
}

function empty() {
  editor.show([]);
  say("note", "Nothing to check yet");
  progress.textContent = "";
  busy(false);
  answer.hidden = true;
  answer.replaceChildren();
  begin.hidden = false;
}

function refuse(problem) {
  const isInput = problem.code === "bad-input";
  editor.show(problem.line ? [{line: problem.line, state: "deny", words: `cannot be read: ${problem.title}`}] : []);
  say("deny", isInput ? "Cannot be read" : "Not checked", problem.title, true);
  fill(showProblem(problem, tools));
}

async function show(report, mine) {
  const [state, words, details] = headline(report);
  say(state, words, `${details} · KubeVirt ${span(report.release)}, profile ${report.profile}`, true);
  showDefault(report);
  editor.show(marksOf(report));
  const [parts, slots] = showReport(report, tools);
  fill(...parts);
  if (editor.text().length > LARGE || !report.objects.length) return complete(report, slots);
  const response = await post("unreadable=true&edits=true&compare=true", running.signal);
  if (mine === turn && response.ok) complete(await response.json(), slots);
}

const tools = {
  goTo: editor.goTo,
  range: editor.range,
  text: editor.text,
  apply(edit, title) {
    const [from, to] = editor.range(edit);
    editor.replace(from, to, edit.text);
    remark(`Applied: ${title}.`, true);
    check();
  },
};

// Remarks with undo

function remark(words, canUndo = false) {
  const parts = [element("span", "", words)];
  if (canUndo) {
    const back = element("button", "", "Undo");
    back.type = "button";
    back.addEventListener("click", () => {
      editor.undo();
      remark("Undone.");
      check();
    });
    parts.push(back);
  }
  notice.hidden = false;
  notice.replaceChildren(...parts);
  if (canUndo && document.activeElement?.classList.contains("apply")) parts[1].focus();
}

// Adds text below typed text, and replaces nothing but an example that was not changed.
function add(text, words, isExample = false) {
  const before = editor.text();
  const isFree = !before.trim() || before === example;
  if (isFree) editor.replace(0, before.length, text);
  else editor.replace(before.length, before.length, `${before.endsWith("\n") ? "" : "\n"}---\n${text}`);
  example = isExample && isFree ? editor.text() : "";
  remark(isFree ? words : `${words.replace(/\.$/, "")}, below your text.`, true);
  forgetLink();
  check();
}

async function takeFiles(files) {
  const chosen = [...files];
  if (!chosen.length) return;
  const texts = await Promise.all(chosen.map((file) => file.text()));
  const names = chosen.length === 1 ? chosen[0].name : `${chosen.length} files`;
  add(texts.map((text) => text.replace(/\s*$/, "\n")).join("---\n"), `Opened ${names}.`);
}

async function takeExample(link) {
  examples.open = false;
  const response = await fetch(link.href);
  if (!response.ok) return remark("The server did not answer. Try again.");
  add(await response.text(), "Opened an example.", true);
}

// Links and drafts

const forgetLink = () => { if (location.hash) history.replaceState(null, "", location.pathname); };

async function copyLink() {
  if (!globalThis.CompressionStream) return remark("This browser cannot compress. Download the manifests instead.");
  const link = await linkTo(editor.text(), {release: release.value, profile: profile.value});
  if (link.length > MOST_LINK) {
    return remark(`Too large for a link: ${link.length.toLocaleString("en")} characters, at most ${MOST_LINK.toLocaleString("en")}. Download the manifests instead.`);
  }
  history.replaceState(null, "", link);
  const size = `${link.length.toLocaleString("en")} of at most ${MOST_LINK.toLocaleString("en")} characters`;
  await copy(link, `Link copied (${size}). It contains the manifests, also their secrets; no server stores it.`);
}

async function copy(text, words) {
  try {
    await navigator.clipboard.writeText(text);
    remark(words);
  } catch {
    remark("The browser does not allow this page to copy. Copy from the text or the address bar.");
  }
}

async function openLink() {
  try {
    const opened = await readLink(location.hash);
    if (!opened) return false;
    release.value = [...release.options].some((option) => option.value === opened.release) ? opened.release : "";
    if ([...profile.options].some((option) => option.value === opened.profile)) profile.value = opened.profile;
    if (opened.text === editor.text()) return false;
    editor.replace(0, editor.text().length, opened.text);
    example = editor.text();
    remark("Opened the manifests of the link.", true);
    check();
    return true;
  } catch {
    remark("The link is damaged or too large. Ask for the manifests.");
    return false;
  }
}

// The draft stays in this tab, so that the way back from another page leads to the same text.
function keepDraft() {
  try {
    if (editor.text().length <= MOST_DRAFT) sessionStorage.setItem(DRAFT, editor.text());
  } catch { /* a browser without storage keeps no draft */ }
}

function openDraft() {
  let draft = "";
  try { draft = sessionStorage.getItem(DRAFT) ?? ""; } catch { /* as above */ }
  if (!draft || editor.text()) return;
  editor.replace(0, 0, draft);
  check();
}

function download() {
  const link = element("a", "");
  link.href = URL.createObjectURL(new Blob([editor.text()], {type: "application/yaml"}));
  link.download = editor.text().trimStart().startsWith("{") ? "manifests.json" : "manifests.yaml";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  remark(`Downloaded ${link.download}.`);
}

function waitForButton() {
  busy(false);
  progress.textContent = "Large text: press Check.";
}

// Events

editor.start(
  () => {
    notice.hidden = true;
    forgetLink();
    clearTimeout(timer);
    busy(true);
    if (editor.text().length <= LARGE) timer = setTimeout(check, PAUSE);
    else waitForButton();
  },
  (line) => {
    const found = answer.querySelector(`.finding[data-line="${line}"]`);
    found?.scrollIntoView({block: "nearest"});
  },
);
byId("manifest").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) check();
});
byId("manifest").addEventListener("paste", () => setTimeout(check));
byId("check").addEventListener("click", check);
release.addEventListener("change", check);
profile.addEventListener("change", check);
token?.addEventListener("change", check);
byId("open").addEventListener("click", () => byId("files").click());
byId("files").addEventListener("change", (event) => {
  takeFiles(event.target.files).then(() => { event.target.value = ""; });
});
byId("copy").addEventListener("click", () => copy(editor.text(), "Manifests copied."));
byId("download").addEventListener("click", download);
byId("link").addEventListener("click", copyLink);
byId("clear").addEventListener("click", () => {
  if (!editor.text()) return;
  editor.replace(0, editor.text().length, "");
  remark("Cleared.", true);
  forgetLink();
  check();
});
document.addEventListener("click", (event) => {
  const link = event.target.closest?.('a[href^="/examples/"]');
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    takeExample(link);
  } else if (examples.open && !examples.contains(event.target)) {
    examples.open = false;
  }
});
examples.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  examples.open = false;
  examples.querySelector("summary").focus();
});
addEventListener("hashchange", openLink);
for (const name of ["dragenter", "dragover"]) {
  addEventListener(name, (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    document.body.classList.add("over");
  });
}
for (const name of ["dragleave", "drop"]) addEventListener(name, () => document.body.classList.remove("over"));
addEventListener("drop", (event) => {
  if (!event.dataTransfer?.files.length) return;
  event.preventDefault();
  takeFiles(event.dataTransfer.files);
});
openLink().then((isOpened) => { if (!isOpened) openDraft(); });
