// What a crate consists of, as CycloneDX 1.5, out of the lines of `cargo tree`: `sbom.mjs CRATE`. A line is
// a name, a version and perhaps a path, and after a tab the licence.

import { text } from "node:stream/consumers";

const [root] = process.argv.slice(2);

function component(line) {
  const [crate, license] = line.split("\t");
  const [name, version] = crate.split(" ");
  const purl = `pkg:cargo/${name}@${version.replace(/^v/, "")}`;
  return {
    type: "library",
    "bom-ref": purl,
    name,
    version: version.replace(/^v/, ""),
    ...(license && { licenses: [{ expression: license.replaceAll("/", " OR ") }] }),
    purl,
  };
}

const lines = (await text(process.stdin)).split("\n").filter((line) => line !== "");
const components = lines.map(component);
const own = components.find(({ name }) => name === root);
if (own === undefined) throw new Error(`cargo says nothing of ${root}`);
const rest = components.filter((other) => other !== own);
const bom = {
  bomFormat: "CycloneDX",
  specVersion: "1.5",
  version: 1,
  metadata: { component: own },
  components: [...new Map(rest.map((other) => [other.purl, other])).values()],
};
process.stdout.write(JSON.stringify(bom, null, 2) + "\n");
