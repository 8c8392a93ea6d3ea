// Links that contain the manifests in the fragment, which browsers do not send to servers.
export const MOST_LINK = 16_000;
const MOST_TEXT = 1 << 20;

async function through(bytes, stream, most) {
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  const parts = [];
  let size = 0;
  for (;;) {
    const {done, value} = await reader.read();
    if (done) break;
    size += value.length;
    if (size > most) {
      await reader.cancel();
      throw new RangeError("too large");
    }
    parts.push(value);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

// The address with the manifests and choices. The caller compares its length with MOST_LINK.
export async function linkTo(text, choices) {
  const bytes = await through(new TextEncoder().encode(text), new CompressionStream("deflate-raw"), Infinity);
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  const packed = btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  const fragment = new URLSearchParams({...choices, manifests: packed});
  return `${location.origin}${location.pathname}#${fragment}`;
}

// The text and choices of a fragment, or null if it has no manifests. Throws for a broken or too large fragment.
export async function readLink(fragment) {
  const fields = new URLSearchParams(fragment.replace(/^#/, ""));
  const packed = fields.get("manifests");
  if (packed === null) return null;
  const binary = atob(packed.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  const text = await through(bytes, new DecompressionStream("deflate-raw"), MOST_TEXT);
  return {
    text: new TextDecoder("utf-8", {fatal: true}).decode(text),
    release: fields.get("release") ?? "",
    profile: fields.get("profile") ?? "",
  };
}
