// Text from objects only ever becomes text nodes; nothing here builds HTML from strings.
const byId = (id) => document.getElementById(id);
const manifest = byId("manifest"), answer = byId("answer"), release = byId("release");
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

const WORDS = {
  deny: "Refused", warn: "Warning", audit: "Noted",
};

function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

function sayVerdict(verdict) {
  if (!verdict) return null;
  if (verdict.liveMigratable === true) {
    return element("p", "verdict yes", `Can be live-migrated (KubeVirt ${verdict.release}).`);
  }
  if (verdict.liveMigratable === false) {
    return element("p", "verdict no", `Cannot be live-migrated: ${verdict.reason} (KubeVirt ${verdict.release}).`);
  }
  return element("p", "verdict open", `Cannot be told yet (KubeVirt ${verdict.release}).`);
}

function goTo(line) {
  const lines = manifest.value.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  manifest.focus();
  manifest.setSelectionRange(start, start + (lines[line - 1] || "").length);
  manifest.scrollTop = Math.max(0, (line - 5) * (manifest.scrollHeight / Math.max(lines.length, 1)));
}

function showFinding(finding) {
  const place = element("button", "", `line ${finding.line}: ${finding.path}`);
  place.type = "button";
  place.addEventListener("click", () => goTo(finding.line));
  const open = finding.outcome === "undetermined";
  const word = element("span", "action", open ? "Cannot be told" : (WORDS[finding.action] || finding.action));
  const holds = finding.releases === "all" ? "" : ` Holds for KubeVirt ${finding.releases}.`;
  return element("article", `finding ${finding.action}`,
    element("p", "", word, `: ${finding.message}.`),
    element("p", "", element("strong", "", open ? "What would settle it: " : "What to do: "), finding.remedy),
    element("p", "", place),
    element("p", "small", `${finding.rule} ${finding.name}, ${finding.basis}.${holds}`));
}

function showObject(object) {
  const box = element("div", "object",
    element("h3", "", `${object.kind} ${object.namespace ? object.namespace + "/" : ""}${object.name}`));
  const verdict = sayVerdict(object.verdict);
  if (verdict) box.append(verdict);
  if (!object.findings.length) box.append(element("p", "hint", "Nothing to say against it."));
  box.append(...object.findings.map(showFinding));
  return box;
}

function showProblem(problem) {
  const where = problem.line ? `Line ${problem.line}: ` : "";
  return element("div", "object", element("p", "verdict no", where + (problem.message || problem.title)),
    element("p", "", problem.remedy || ""));
}

async function check() {
  answer.replaceChildren(element("p", "hint", "Checking…"));
  const query = new URLSearchParams();
  if (release.value) query.set("release", release.value);
  if (byId("profile").value) query.set("profile", byId("profile").value);
  try {
    const response = await fetch(`/v1/check?${query}`, {
      method: "POST", headers: {"Content-Type": "application/yaml"}, body: manifest.value,
    });
    const body = await response.json();
    if (!response.ok) {
      answer.replaceChildren(showProblem(body));
      return;
    }
    const parts = [...body.problems.map(showProblem), ...body.objects.map(showObject)];
    if (!parts.length) parts.push(element("p", "hint", "There is no virtual machine and no migration setting in this."));
    answer.replaceChildren(...parts);
  } catch (error) {
    answer.replaceChildren(element("p", "verdict no", "The server did not answer. Try again."));
  }
}

function offerReleases(values) {
  release.append(...values.map((value) => {
    const option = element("option", "", value || "as set here");
    option.value = value;
    return option;
  }));
}

offerReleases(["", "any"]);
fetch("/v1/releases").then((response) => response.json()).then(offerReleases);
byId("check").addEventListener("click", check);
byId("example").addEventListener("click", () => { manifest.value = EXAMPLE; check(); });
manifest.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) check();
});
