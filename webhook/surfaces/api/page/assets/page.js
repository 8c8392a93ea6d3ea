// Text from objects only ever becomes text nodes; nothing here builds HTML from strings.
const byId = (id) => document.getElementById(id);
const manifest = byId("manifest"), answer = byId("answer"), release = byId("release"), token = byId("token");
const EXAMPLE = `apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {name: web, namespace: tenant}
spec:
  runStrategy: Always
  template:
    spec:
      evictionStrategy: LiveMigrate
      domain:
        devices:
          interfaces:
          - name: default
            bridge: {}
          disks:
          - name: os
            disk: {bus: virtio}
        memory: {guest: 2Gi}
      networks:
      - name: default
        pod: {}
      volumes:
      - name: os
        persistentVolumeClaim: {claimName: web-os}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: web-os, namespace: tenant}
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 20Gi}}
`;

const ACTIONS = {deny: "Refused", warn: "Warning", audit: "Noted"};
const BASES = {
  kubevirt: "KubeVirt does not live-migrate this VM.",
  baseline: "KubeVirt would migrate this VM; the finding is on Migratable's fixed list.",
  advice: "Advice: KubeVirt does not refuse this, but a migration or a node drain can fail.",
};
let why = new Map();

function element(tag, className, ...children) {
  const created = document.createElement(tag);
  if (className) created.className = className;
  created.append(...children);
  return created;
}

// Text between backticks is code.
function prose(text) {
  return text.split("`").map((part, index) => (index % 2 ? element("code", "", part) : part));
}

const count = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;

// An unproven reason can come before the proven one.
function reasonOf(verdict) {
  return verdict.reason ?? `${verdict.possibleReasons.at(-1)} or an earlier reason`;
}

function showVerdict(verdict) {
  const kubevirt = `(KubeVirt ${verdict.release})`;
  if (verdict.liveMigratable === true) return element("p", "verdict yes", `Can be live-migrated ${kubevirt}.`);
  if (verdict.liveMigratable === false) {
    return element("p", "verdict no", `Cannot be live-migrated: ${reasonOf(verdict)} ${kubevirt}.`);
  }
  return element("p", "verdict open", `Unproven ${kubevirt}: an object that the VM refers to is missing here.`);
}

function goTo(line) {
  const lines = manifest.value.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
  manifest.focus();
  manifest.setSelectionRange(start, start + (lines[line - 1] || "").length);
  manifest.scrollTop = Math.max(0, (line - 5) * (manifest.scrollHeight / Math.max(lines.length, 1)));
}

function placeOf(line, text) {
  const place = element("button", "", `line ${line}${text ? `: ${text}` : ""}`);
  place.type = "button";
  place.addEventListener("click", () => goTo(line));
  return element("p", "", place);
}

function showFinding(finding) {
  const isUnproven = finding.outcome === "undetermined";
  const word = isUnproven ? "Unproven" : (ACTIONS[finding.action] || finding.action);
  const basis = finding.releases === "all" ? BASES[finding.basis] : `${BASES[finding.basis]} (KubeVirt ${finding.releases})`;
  const box = element("article", `finding ${finding.action}${isUnproven ? " unproven" : ""}`,
    element("p", "", element("span", "action", word), ...prose(finding.message)),
    element("p", "", element("strong", "", isUnproven ? "To settle it: " : "How to fix it: "), ...prose(finding.remedy)));
  if (finding.line) box.append(placeOf(finding.line, finding.path));
  if (finding.exemption) {
    box.append(element("p", "small",
      `Exempt until ${finding.exemption.until}: ${finding.exemption.reason} (${finding.exemption.owner})`));
  }
  box.append(element("details", "small",
    element("summary", "", `Why? ${finding.rule} ${finding.name}`),
    element("p", "", ...prose(why.get(finding.rule) || "")), element("p", "", isUnproven ? "" : basis)));
  return box;
}

function showObject(object) {
  const box = element("div", "object",
    element("h3", "", `${object.kind} ${object.namespace ? object.namespace + "/" : ""}${object.name}`));
  if (object.verdict) box.append(showVerdict(object.verdict));
  box.append(...object.findings.map(showFinding));
  if (!object.findings.length) box.append(element("p", "hint", "No findings."));
  const assumed = object.verdict ? object.verdict.assumptions : [];
  if (assumed.length) box.append(element("p", "small", `Assumed: ${assumed.join("; ")}.`));
  return box;
}

function showProblem(problem) {
  const box = element("div", "object", element("p", "verdict no", ...prose(problem.message || problem.title)));
  if (problem.remedy) box.append(element("p", "", element("strong", "", "How to fix it: "), ...prose(problem.remedy)));
  if (problem.line) box.append(element("div", "finding", placeOf(problem.line, problem.path)));
  return box;
}

function showReport(report) {
  const {deny, problems, objects} = report.summary;
  const passing = report.objects.flatMap((object) => object.findings).filter((finding) => finding.action !== "deny");
  const unproven = passing.filter((finding) => finding.outcome === "undetermined").length;
  const warn = passing.filter((finding) => finding.action === "warn" && finding.outcome === "violation").length;
  const counts = [deny && `${deny} refused`, warn && count(warn, "warning"), unproven && `${unproven} unproven`,
    problems && `${problems} unreadable`].filter(Boolean);
  const parts = [...report.problems.map(showProblem), ...report.objects.map(showObject)];
  if (!parts.length) {
    parts.push(element("p", "hint", "Nothing to check: the input has no virtual machine and no migration settings."));
  } else {
    parts.unshift(element("p", "summary", `${counts.join(", ") || "Nothing found"} in ${count(objects, "object")}`));
  }
  parts.push(...report.notes.map((note) => element("p", "small", ...prose(note))));
  byId("access").hidden = byId("access").hidden && !report.notes.some((note) => note.includes("Authorization"));
  answer.replaceChildren(...parts);
}

async function check() {
  answer.replaceChildren(element("p", "hint", "Checking…"));
  const query = new URLSearchParams();
  if (release.value) query.set("release", release.value);
  if (byId("profile").value) query.set("profile", byId("profile").value);
  const headers = {"Content-Type": "application/yaml"};
  if (token.value) headers.Authorization = `Bearer ${token.value}`;
  try {
    if (!why.size) {
      why = new Map((await (await fetch("/v1/rules")).json()).map((rule) => [rule.id, rule.rationale]));
    }
    const response = await fetch(`/v1/check?${query}`, {method: "POST", headers, body: manifest.value});
    const body = await response.json();
    if (response.ok) showReport(body);
    else answer.replaceChildren(showProblem(body));
  } catch (error) {
    answer.replaceChildren(element("p", "verdict no", "The server did not answer. Try again."));
  }
}

async function takeFiles(files) {
  const texts = await Promise.all([...files].map((file) => file.text()));
  manifest.value = texts.join("\n---\n");
  check();
}

byId("check").addEventListener("click", check);
byId("example").addEventListener("click", () => { manifest.value = EXAMPLE; check(); });
manifest.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) check();
});
for (const name of ["dragenter", "dragover"]) manifest.addEventListener(name, () => manifest.classList.add("over"));
for (const name of ["dragleave", "drop"]) manifest.addEventListener(name, () => manifest.classList.remove("over"));
manifest.addEventListener("dragover", (event) => event.preventDefault());
manifest.addEventListener("drop", (event) => {
  if (!event.dataTransfer.files.length) return;
  event.preventDefault();
  takeFiles(event.dataTransfer.files);
});
