// Shows a report. Text from objects only ever becomes text nodes; nothing here builds HTML from strings.
const SIGNS = {deny: "✕", warn: "!", open: "?", good: "✓", note: "i"};
const WORDS = {deny: "would be refused", warn: "would get a warning", audit: "would be recorded"};
const STATES = {deny: "deny", warn: "warn", audit: "note"};
// The releases in which a finding holds are part of the sentence.
const BASES = {
  kubevirt: (releases) => `KubeVirt${releases} does not live-migrate this VM.`,
  baseline: (releases) => `KubeVirt${releases} would migrate this VM; the finding is on Migratable's fixed list.`,
  advice: (releases) => `KubeVirt${releases} accepts this, but a migration or a node drain can fail.`,
};
const ORDER = ["deny", "open", "warn", "note"];

export function element(tag, className, ...children) {
  const created = document.createElement(tag);
  if (className) created.className = className;
  created.append(...children);
  return created;
}

// Text between backticks is code.
export const prose = (text) => text.split("`").map((part, index) => (index % 2 ? element("code", "", part) : part));
const count = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;
const isUnproven = (finding) => finding.outcome === "undetermined";

export function stateOf(finding) {
  if (finding.exemption) return "note";
  if (finding.action === "deny") return "deny";
  return isUnproven(finding) ? "open" : STATES[finding.action] ?? "note";
}

function wordsOf(finding) {
  if (finding.exemption) return "exempt";
  if (isUnproven(finding)) return finding.action === "deny" ? "unproven, would be refused" : "unproven";
  return WORDS[finding.action] ?? finding.action;
}

function sign(state) {
  const created = element("span", "mark", SIGNS[state]);
  created.ariaHidden = "true";
  return created;
}

const badge = (state, words) => element("span", `badge ${state}`, sign(state), words);

function button(words, className, action) {
  const created = element("button", className, words);
  created.type = "button";
  created.addEventListener("click", action);
  return created;
}

// An unproven reason can come before the proven one.
const reasonOf = (verdict) => verdict.reason ?? `${verdict.possibleReasons.at(-1)} or an earlier reason`;

function verdictOf(verdict) {
  const kubevirt = `KubeVirt ${verdict.release}`;
  if (verdict.liveMigratable === true) return ["good", `${kubevirt} can live-migrate it`];
  if (verdict.liveMigratable === false) return ["deny", `${kubevirt} cannot live-migrate it: ${reasonOf(verdict)}`];
  return ["open", `Unproven for ${kubevirt}: an object that the VM refers to is missing here`];
}

// The marks of a report for the margin of the editor, the most important one of each line first.
export function marksOf(report) {
  const found = report.objects.flatMap((object) => object.findings).map((finding) => ({
    line: finding.line, state: stateOf(finding), words: finding.message.replaceAll("`", ""),
  }));
  const unread = report.problems.map((problem) => ({line: problem.line, state: "deny", words: `cannot be read: ${problem.message}`}));
  return [...unread, ...found.sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state))];
}

// The answer in one line: state, headline, and details.
export function headline(report) {
  const findings = report.objects.flatMap((object) => object.findings);
  const of = (state) => findings.filter((finding) => stateOf(finding) === state).length;
  const {problems, objects} = report.summary;
  const deny = of("deny"), open = of("open"), warn = of("warn");
  const isUnsure = report.objects.some((object) => object.verdict?.liveMigratable === null);
  const details = [deny && `${count(deny, "reason")} to refuse it`, warn && count(warn, "warning"), open && `${open} unproven`,
    problems && `${problems} unreadable`].filter(Boolean);
  const where = `${details.join(", ") || "nothing found"}${objects > 1 ? `, in ${objects} objects` : ""}`;
  if (deny) return ["deny", "Would be refused", where];
  if (problems) return ["deny", objects ? "Partly unreadable" : "Cannot be read", where];
  if (!objects) return ["note", "Nothing to check", "the input has no virtual machine and no migration settings"];
  if (open || isUnsure) return ["open", "Unproven: something is missing", where];
  if (warn) return ["warn", "Would be accepted, with warnings", where];
  return ["good", "Would be accepted", where];
}

// The line and the field of a finding, both as far as they are known.
function placeOf(finding, goTo) {
  if (!finding.line) return finding.path ? [element("code", "path", finding.path)] : [];
  const place = button(`line ${finding.line}`, "place", () => goTo(finding.line));
  if (finding.path) place.title = finding.path;
  return finding.path ? [place, element("code", "path", finding.path)] : [place];
}

// A link to a page of this server. It opens beside this page, so that the text stays.
function ruleLink(finding) {
  const link = element("a", "", `${finding.rule} ${finding.name}`);
  link.href = `/rules/${encodeURIComponent(finding.rule)}`;
  link.target = "_blank";
  link.rel = "noopener";
  link.title = "Opens in a new tab";
  return link;
}

// The lines that an edit changes, without their common indentation.
function differenceOf(text, edit, range) {
  const [begin, end] = range(edit);
  const first = text.lastIndexOf("\n", begin - 1) + 1, newline = text.indexOf("\n", end);
  const last = newline < 0 ? text.length : newline;
  const old = text.slice(first, last).split("\n");
  const fresh = (text.slice(first, begin) + edit.text + text.slice(end, last)).split("\n");
  while (old.length && old.at(-1) === fresh.at(-1)) { old.pop(); fresh.pop(); }
  while (old.length && old[0] === fresh[0]) { old.shift(); fresh.shift(); }
  const filled = [...old, ...fresh].filter((line) => line.trim());
  const indent = Math.min(...filled.map((line) => line.match(/^ */)[0].length), 40);
  const lines = (words, sign, className) => words.filter((line) => line.trim())
    .map((line) => element("span", className, `${sign} ${line.slice(indent)}\n`));
  return element("pre", "difference", ...lines(old, "−", "old"), ...lines(fresh, "+", "new"));
}

// The place of a fix. Its text and button come with the edits, which take longer than the answer.
class FixSlot {
  constructor(fix, tools) {
    this.fix = fix;
    this.tools = tools;
    this.button = button("Apply fix", "apply", () => this.tools.apply(this.edit, fix.title));
    this.button.disabled = true;
    this.button.ariaLabel = `Apply fix: ${fix.title}`;
    this.box = element("div", "fix", element("p", "", this.button, element("span", "", fix.title)));
  }

  fill(edit) {
    if (!edit) {
      this.button.replaceWith(element("span", "small", "By hand:"));
      return;
    }
    this.edit = edit;
    this.button.disabled = false;
    this.box.append(differenceOf(this.tools.text(), edit, this.tools.range));
  }
}

function showFinding(finding, tools, slots) {
  const state = stateOf(finding);
  const box = element("article", `finding ${state}`,
    element("p", "head", badge(state, wordsOf(finding)), ...placeOf(finding, tools.goTo)),
    element("p", "message", ...prose(finding.message)));
  box.dataset.line = finding.line ?? "";
  box.tabIndex = -1;
  if (finding.exemption) {
    const {until, reason, owner} = finding.exemption;
    box.append(element("p", "small", `Exempt${until ? ` until ${until}` : ""}: ${reason} (${owner})`));
  }
  box.append(element("p", "", element("strong", "", isUnproven(finding) ? "To settle it: " : "How to fix it: "), ...prose(finding.remedy)));
  const fixes = element("div", "");
  const add = (fix) => {
    const slot = new FixSlot(fix, tools);
    fixes.append(slot.box);
    return slot;
  };
  slots.findings.push({filled: finding.fixes.map(add), add});
  box.append(fixes);
  const releases = finding.releases === "all" ? "" : ` ${finding.releases}`;
  const basis = isUnproven(finding) ? "" : BASES[finding.basis]?.(releases) ?? "";
  box.append(element("p", "small", basis, " ", ruleLink(finding)));
  return box;
}

function showComparison(comparison) {
  const cells = comparison.verdicts.map((verdict) => {
    const state = verdict.liveMigratable === null ? "open" : verdict.liveMigratable ? "good" : "deny";
    const words = {open: "unproven", good: "can migrate", deny: verdict.reason ?? "cannot migrate"}[state];
    const cell = element("li", state, element("span", "", verdict.release), sign(state), element("span", "unseen", words));
    cell.title = words;
    return cell;
  });
  return [element("p", "small", `${comparison.summary}.`), element("ul", "strip", ...cells)];
}

function showObject(object, tools, slots) {
  const name = object.namespace ? `${object.namespace}/${object.name}` : object.name;
  const box = element("section", "object", element("h3", "", element("span", "kind", object.kind), " ", name));
  if (object.verdict) {
    const [state, words] = verdictOf(object.verdict);
    const comparison = element("div", "comparison");
    slots.comparisons.push(comparison);
    box.append(element("p", `kubevirt ${state}`, sign(state), words), comparison);
  } else {
    slots.comparisons.push(null);
  }
  box.append(...object.findings.map((finding) => showFinding(finding, tools, slots)));
  if (!object.findings.length) box.append(element("p", "small", "No findings."));
  const assumed = object.verdict?.assumptions ?? [];
  if (assumed.length) box.append(element("p", "small", `Assumed: ${assumed.join("; ")}.`));
  return box;
}

export function showProblem(problem, tools) {
  const box = element("section", "object finding deny",
    element("p", "head", badge("deny", "cannot be read"), ...placeOf(problem, tools.goTo)),
    element("p", "message", ...prose(problem.message ?? problem.title)));
  if (problem.remedy) box.append(element("p", "", element("strong", "", "How to fix it: "), ...prose(problem.remedy)));
  return box;
}

// The parts of the answer, and the slots that `complete` fills.
export function showReport(report, tools) {
  const slots = {findings: [], comparisons: []};
  const parts = [...report.problems.map((problem) => showProblem(problem, tools)),
    ...report.objects.map((object) => showObject(object, tools, slots)),
    ...report.notes.map((note) => element("p", "small", ...prose(note)))];
  return [parts, slots];
}

// Adds the edits and the verdicts of other releases, which come with a second, slower report on the same text. This report also has
// fixes of other objects of the text.
export function complete(report, slots) {
  const findings = report.objects.flatMap((object) => object.findings);
  if (findings.length !== slots.findings.length || report.objects.length !== slots.comparisons.length) return;
  slots.findings.forEach(({filled, add}, index) => {
    findings[index].fixes.forEach((fix, at) => (filled[at] ?? add(fix)).fill(fix.edit));
  });
  slots.comparisons.forEach((box, index) => {
    const {comparison} = report.objects[index];
    if (box && comparison) box.append(...showComparison(comparison));
  });
}
