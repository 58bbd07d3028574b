import { open, readFile, readdir, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { VectordocError } from "../error.js";

const NAME = /^lock\.(.*)\.(\d+)\.(\d*)$/;

/**
 * Holds a directory against other processes and returns how to let go of it.
 *
 * Each holder has a file named after its host, its process and when that began. It makes its own
 * first and then looks for others: of two that begin at once, at least one sees the other. The file
 * of a process that is dead is removed; as its name is never used again, nobody else's is.
 */
export async function lock(directory: string): Promise<() => Promise<void>> {
  const own = `lock.${host()}.${process.pid}.${(await startOf(process.pid)) ?? ""}`;
  const path = join(directory, own);
  const file = await open(path, "wx").catch((error: NodeJS.ErrnoException) => {
    throw error.code === "EEXIST" ? busy(directory, own) : error;
  });
  await file.close();
  const release = () => rm(path, { force: true });
  try {
    await refuseOthers(directory, own);
  } catch (error) {
    await release();
    throw error;
  }
  return release;
}

async function refuseOthers(directory: string, own: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (name === own || !NAME.test(name)) {
      continue;
    }
    if (await isHeld(name)) {
      throw busy(directory, name);
    }
    await rm(join(directory, name), { force: true });
  }
}

/** Whether the process a lock is named after may be alive. */
async function isHeld(name: string): Promise<boolean> {
  const [, holder, pid, start] = NAME.exec(name)!;
  if (holder !== host()) {
    return true;
  }
  const found = await startOf(Number(pid));
  return found === undefined || start === "" ? isAlive(Number(pid)) : found === start;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

/** When a process began, in the ticks of Linux; nothing elsewhere, and if there is no such process. */
async function startOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => undefined);
  // The name of the program, in parentheses, may hold anything.
  const [state, ...fields] = stat?.slice(stat.lastIndexOf(")") + 2).split(" ") ?? [];
  return state === "Z" ? "" : fields[18];
}

function host(): string {
  return encodeURIComponent(hostname());
}

function busy(directory: string, name: string): VectordocError {
  const [, holder, pid] = NAME.exec(name)!;
  const whose = Number(pid) === process.pid ? "this process" : `process ${pid}`;
  return new VectordocError(
    "busy",
    `${directory} is open in ${whose} on ${decodeURIComponent(holder!)}; close it there, or delete ` +
      `${join(directory, name)} if no such process runs`,
  );
}
