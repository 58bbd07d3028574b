// The table of guarantees in README.md: `guarantees.mjs FIGURES BUDGET` writes it with the figures of a
// run, `--files` prints the files of tests it stands on, `--check` says whether README.md has its rows.

import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";

/** What is promised, the files of tests that judge it, and the figures they leave, by their beginnings. */
const ROWS = [
  ["A write that was acknowledged survives a power cut; a batch is whole or absent in each shard", ["power_loss"], "power_loss."],
  ["... and `kill -9`", ["kill", "durability", "shards_kill"], "kill."],
  ["An error of the disk leaves a clean state: what was acknowledged stays, reading goes on, nothing is acknowledged after a sync failed, and after a full disk writing goes on", ["disk_errors", "disk_full"], "disk_errors."],
  ["What a disk changes by itself is noticed or does no harm, and is never served (of what is around records and pages only with `verify`)", ["bit_rot", "damage"], "bit_rot."],
  ["Exact search is exact, and filters mean what they say", ["differential"], "differential."],
  ["The same answer by every road: opened again, any number of shards, archive, graph or scan, WebAssembly", ["metamorphic"], "metamorphic."],
  ["No bytes crash a decoder or have it take memory out of proportion", ["decoders"], "decoders."],
  ["The service keeps what it acknowledged over each protocol when it is killed", ["server_kill"], "server_kill."],
  ["Nor do any bytes in a message of a WebSocket, in JSON or CBOR, or of gRPC, and the next request is answered", ["server_damaged_requests"], "server_damaged."],
  ["In a browser: a write that was acknowledged survives a crash of its tab, and several tabs are one database", ["wasm/test/tabs/histories.test.mjs"], "browser.crashes browser.histories"],
  ["... and when the whole browser is killed, what there is is whole, or the loss is said", ["wasm/test/tabs/kills.test.mjs"], "browser.kills"],
  ["Nodes of a cluster lose power, pause, are cut off and change places, and each document is as if there was one of it", ["node-server/src/cluster/simulation/run.rs"], "cluster_simulation"],
  ["These tests find bugs: each of those that are [planted](tests/planted.md)", [], "planted"],
];

const START = "<!-- written by tests/guarantees -->";
const END = "<!-- end -->";

/** The figures whose names begin so: their numbers added up, where they count the same. */
function figure(directory, beginnings) {
  const begins = (name) => beginnings.split(" ").some((beginning) => name.startsWith(beginning));
  const names = readdirSync(directory).filter(begins).sort();
  if (names.length === 0) return "not of this run";
  const counts = new Map();
  for (const name of names) {
    const [, count, what] = readFileSync(`${directory}/${name}`, "utf8").trim().match(/^(\d+) (.*)$/);
    counts.set(what, (counts.get(what) ?? 0) + Number(count));
  }
  return [...counts].map(([what, count]) => `${count.toLocaleString("en")} ${what}`).join("; ");
}

/** Where a file of tests is: one of Rust is named without its path. */
const path = (file) => (file.includes("/") ? file : `tests/tests/${file}.rs`);
const link = (file) => `[\`${file.replace(/.*\/(.*)\.test\.mjs/, "$1")}\`](${path(file)})`;
const [first, budget] = process.argv.slice(2);
const readme = readFileSync("README.md", "utf8");
const [before, , after] = readme.split(new RegExp(`(?:${START}[^]*?${END})()`));
assert.ok(after !== undefined, `README.md has no ${START} … ${END}`);

if (first === "--files") {
  console.log(ROWS.flatMap(([, files]) => files).filter((file) => !file.includes("/")).join("\n"));
} else if (first === "--check") {
  for (const [promise, files] of ROWS) {
    assert.ok(readme.includes(`| ${promise} |`), `README.md does not promise: ${promise}`);
    for (const file of files) assert.ok(existsSync(path(file)), `there is no ${file}`);
  }
} else {
  const rows = ROWS.map(([promise, files, beginning]) => {
    return `| ${promise} | ${files.map(link).join(", ")} | ${figure(first, beginning)} |`;
  });
  const table = ["| promise | judged by | of the last run |", "|---|---|---|", ...rows].join("\n");
  const said = `The figures are of the budget \`${budget}\`; \`tests/guarantees\` runs the tests and writes them.`;
  writeFileSync("README.md", `${before}${START}\n${table}\n\n${said}\n${END}${after}`);
}
