// What is in the packed package, and what compilers make of its types.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { TOOLS, TSC, packed, project, run } from "./project.mjs";

const PROGRAM = `
  import { type Store, VectordocError, open } from "vectordoc";
  import { durableObject } from "vectordoc/durable-object";
  import module from "vectordoc/simd128.wasm";

  const schema = { id: "string", embedding: { vector: 2 }, price: "number?" } as const;
  declare const storage: Parameters<typeof durableObject>[0];
  const store: Store = durableObject(storage);
  const db = await open("products", { schema, module, store });
  const [hit] = await db.search([1, 0]);
  const price: number | undefined = hit?.doc.price;
  // @ts-expect-error: a price is a number
  const text: string | undefined = hit?.doc.price;
  export const found = [price, text, VectordocError];
`;
/** That of someone who lets nothing pass. */
const STRICT = {
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  noEmit: true,
};
const COMPILERS = {
  "this TypeScript": TSC,
  "TypeScript 5.4": join(TOOLS, "typescript-5.4/bin/tsc"),
};
/** Nothing of a browser and nothing of Node is known where `lib` has no `dom`. */
const SETTINGS = {
  bundler: { module: "esnext", moduleResolution: "bundler", lib: ["es2022", "dom"] },
  nodenext: { module: "nodenext", moduleResolution: "nodenext", lib: ["es2022"] },
  workerd: {
    module: "esnext",
    moduleResolution: "bundler",
    customConditions: ["workerd"],
    lib: ["es2022"],
  },
};

test("the package holds what runs, its types, the README and the licence", () => {
  for (const path of packed.files) {
    assert.match(
      path,
      /^(dist\/.*\.(js|d\.ts|wasm)|module\.d\.ts|package\.json|README\.md|LICENSE)$/,
    );
  }
  for (const path of ["README.md", "LICENSE", "dist/raw/engine_simd128.wasm", "dist/workerd.js"]) {
    assert.ok(packed.files.includes(path), path);
  }
});

test("the package needs no other", async () => {
  const names = Object.keys(await manifest()).filter((name) => /dependencies$/i.test(name));
  assert.deepEqual(names, ["devDependencies"]);
});

test("publint has nothing to say", async () => {
  const pack = { tarball: (await readFile(packed.path)).buffer };
  const { messages } = await publint({ pack, strict: true });
  const pkg = await manifest();
  assert.deepEqual(
    messages.map((message) => formatMessage(message, pkg)),
    [],
  );
});

test("types are found as what they are, from whatever kind of module", async () => {
  const data = createPackageFromTarballData(new Uint8Array(await readFile(packed.path)));
  const { problems } = await checkPackage(data, { excludeEntrypoints: [/\.wasm$/] });
  // It is no CommonJS, and resolution from before there was `exports` knows no sub-paths.
  const isWanted = ({ kind, resolutionKind }) =>
    kind !== "CJSResolvesToESM" && resolutionKind !== "node10";
  assert.deepEqual(problems.filter(isWanted), []);
});

test("compilers take the types, of whatever they resolve modules by", async (t) => {
  const projects = Object.entries(SETTINGS).map(([name, settings]) => {
    const compilerOptions = { target: "es2022", types: [], ...settings, ...STRICT };
    return [`${name}.json`, JSON.stringify({ compilerOptions, files: ["program.ts"] })];
  });
  const files = { "program.ts": PROGRAM, ...Object.fromEntries(projects) };
  const path = await project("types", files, { type: "module" });
  for (const [compiler, tsc] of Object.entries(COMPILERS)) {
    for (const [tsconfig] of projects) {
      await t.test(`${compiler} by ${tsconfig}`, () =>
        run(path, process.execPath, [tsc, "-p", tsconfig]),
      );
    }
  }
});

async function manifest() {
  return JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8"));
}
