// The pages for operators: shows the changes of the cluster, and copies commands. Without this script, a reload shows the changes.
const EVERY = 5000, MOST = 60000, SHOWN = [200, 400, 404];
const main = document.getElementById("main");
const address = location.pathname + location.search;
let version = "", failures = 0, timer = 0, running = null;

function region(kind) {
  const made = document.createElement("p");
  made.className = kind;
  made.setAttribute("role", "status");
  document.body.append(made);
  return made;
}

const news = region("unseen"), trouble = region("state");
trouble.hidden = true;

const clock = () => new Date().toLocaleTimeString();
let since = clock();

// Changes the page in place, so that focus, selection, scroll positions and typed text stay.

const KEPT = new Set(["value", "open", "selected", "checked", "title"]);

function keyOf(node) {
  if (node.nodeType !== Node.ELEMENT_NODE) return "";
  if (node.id) return `#${node.id}`;
  if (node.nodeName === "OPTION") return node.value;
  return /^(TR|LI|ARTICLE)$/.test(node.nodeName) ? node.querySelector("a[href]")?.getAttribute("href") ?? "" : "";
}

function change(old, fresh) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) return;
  for (const {name, value} of [...fresh.attributes]) if (!KEPT.has(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  for (const {name} of [...old.attributes]) if (!KEPT.has(name) && !fresh.hasAttribute(name)) old.removeAttribute(name);
  changeChildren(old, fresh);
}

const passOwn = (node) => {
  while (node?.dataset?.own) node = node.nextSibling;
  return node;
};

function changeChildren(old, fresh) {
  const keyed = new Map([...old.childNodes].map((child) => [keyOf(child), child]));
  let at = passOwn(old.firstChild);
  for (const wanted of [...fresh.childNodes]) {
    const key = keyOf(wanted);
    const match = key ? keyed.get(key) : at && !keyOf(at) && at.nodeName === wanted.nodeName ? at : null;
    if (!match || match.nodeName !== wanted.nodeName) {
      old.insertBefore(document.importNode(wanted, true), at);
      continue;
    }
    keyed.delete(key);
    if (match === at) at = passOwn(at.nextSibling);
    else old.insertBefore(match, at);
    change(match, wanted);
  }
  while (at) {
    const next = passOwn(at.nextSibling);
    at.remove();
    at = next;
  }
}

function words(part) {
  const copy = part.cloneNode(true);
  for (const other of copy.querySelectorAll("time, [data-own]")) other.remove();
  return copy.textContent;
}

function show(text) {
  const fresh = new DOMParser().parseFromString(text, "text/html");
  const part = fresh.getElementById("main");
  if (!part) throw new Error("no page");
  const focused = document.activeElement, before = words(main);
  change(main, part);
  document.title = fresh.title;
  decorate();
  if (focused !== document.activeElement) {
    main.tabIndex = -1;
    (focused.isConnected ? focused : main).focus({preventScroll: true});
  }
  if (words(main) !== before) news.textContent = `Updated at ${clock()}`;
}

// Times as distances from now, and commands with a button.

function age(time) {
  const seconds = Math.max(Math.round((Date.now() - Date.parse(time.dateTime)) / 1000), 0);
  if (seconds < 100) return `${seconds} s ago`;
  if (seconds < 6000) return `${Math.round(seconds / 60)} min ago`;
  return seconds < 172800 ? `${Math.round(seconds / 3600)} h ago` : "";
}

function decorate() {
  for (const time of main.querySelectorAll("time")) {
    const shown = age(time);
    if (!shown) continue;
    time.title = time.dateTime;
    if (time.textContent !== shown) time.textContent = shown;
  }
  for (const button of main.querySelectorAll("[data-own]")) if (!button.previousElementSibling?.matches(".command")) button.remove();
  for (const command of main.querySelectorAll(".command")) if (!command.nextElementSibling?.dataset.own) command.after(copier(command));
}

function copier(command) {
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.own = "yes";
  button.textContent = "Copy";
  button.ariaLabel = "Copy the command";
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(command.textContent);
      news.textContent = button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(command);
      news.textContent = button.textContent = "Press Ctrl + C";
    }
  });
  return button;
}

// The polls

function say(text) {
  trouble.hidden = false;
  if (trouble.textContent !== text) trouble.textContent = text;
}

async function poll() {
  clearTimeout(timer);
  running?.abort();
  if (document.hidden) return;
  const mine = running = new AbortController();
  let isLate = false;
  const limit = setTimeout(() => {
    isLate = true;
    mine.abort();
  }, MOST);
  try {
    const response = await fetch(address, {
      headers: version ? {"If-None-Match": version} : {}, cache: "no-store", redirect: "manual", signal: mine.signal,
    });
    if (response.type === "opaqueredirect" || response.status === 401) return say("You are signed out. Reload the page to sign in.");
    if (response.status === 403) return say("Your account may no longer see this page. Reload the page.");
    if (response.status !== 304) {
      if (!SHOWN.includes(response.status)) throw new Error(response.status);
      show(await response.text());
      version = response.headers.get("ETag") ?? "";
    }
    failures = 0;
    since = clock();
    trouble.hidden = true;
  } catch {
    if (mine.signal.aborted && !isLate) return;
    failures += 1;
    say(`The server does not answer. This page is from ${since}.`);
  } finally {
    clearTimeout(limit);
  }
  decorate();
  timer = setTimeout(poll, Math.min(EVERY * 2 ** failures, MOST));
}

document.addEventListener("visibilitychange", poll);
addEventListener("pageshow", (event) => event.persisted && poll());
decorate();
timer = setTimeout(poll, EVERY);
