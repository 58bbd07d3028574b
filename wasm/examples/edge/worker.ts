// A search service for many shops: a Worker that sends each request to the Durable Object of its
// shop, which holds the shop's products in a database of its own.
//
//   POST   /SHOP/products        [product, …]: inserts them or replaces those with their ids
//   GET    /SHOP/products/ID     one product
//   DELETE /SHOP/products/ID     deletes it
//   POST   /SHOP/search          { vector, limit?, filter?, … }: the nearest products

import { DurableObject } from "cloudflare:workers";
import { type DocumentOf, type ErrorCode, VectordocError, open } from "vectordoc";
import { durableObject } from "vectordoc/durable-object";

interface Env {
  readonly SHOPS: DurableObjectNamespace<Shop>;
}

const SCHEMA = {
  id: "string",
  embedding: { vector: 384, metric: "cosine" },
  price: { type: "number", filter: true },
  tags: { type: "string[]", filter: true },
  title: "string",
} as const;

type Product = DocumentOf<typeof SCHEMA>;

/** An isolate has 128 MB for the module, the database and whatever is being read. */
const BODY_BYTES_MAX = 4 * 1024 * 1024;

/** What a client can do about an error, as HTTP says it. */
const STATUS: Readonly<Record<ErrorCode, number>> = {
  invalid: 400,
  unauthenticated: 401,
  denied: 403,
  not_found: 404,
  conflict: 409,
  closed: 410,
  limit_exceeded: 413,
  busy: 429,
  internal: 500,
  corrupt: 500,
  unsupported: 501,
  unavailable: 503,
  full: 507,
};

export default {
  fetch: (request: Request, { SHOPS }: Env) =>
    answered(async () => {
      const [shop] = pathOf(request);
      return shop
        ? SHOPS.getByName(shop).fetch(request)
        : refuse("not_found", "a path begins with a shop");
    }),
};

/** The products of one shop. */
export class Shop extends DurableObject<Env> {
  #products = this.ctx.blockConcurrencyWhile(() => openProducts(this.ctx.storage));

  override fetch(request: Request): Promise<Response> {
    return answered(async () => Response.json(await this.#answer(request)));
  }

  async #answer(request: Request): Promise<object> {
    const products = await this.#products;
    const [, kind, id] = pathOf(request);
    switch (`${request.method} ${kind}${id === undefined ? "" : "/ID"}`) {
      case "POST products":
        return products.index((await bodyOf(request)) as Product[]);
      case "GET products/ID":
        return (await products.get(id!)) ?? refuse("not_found", `there is no product "${id}"`);
      case "DELETE products/ID":
        return products.delete(id!);
      case "POST search": {
        const { vector, ...options } = (await bodyOf(request)) as { vector: number[] };
        return { hits: await products.search(vector, options) };
      }
      default:
        return refuse("not_found", `there is no ${request.method} of that path`);
    }
  }
}

function openProducts(storage: DurableObjectStorage) {
  return open("products", { schema: SCHEMA, store: durableObject(storage) });
}

/** What a request brings: an object or an array. */
async function bodyOf(request: Request): Promise<object> {
  const body = request.body ? parsed(await textOf(request.body)) : undefined;
  return body instanceof Object ? body : refuse("invalid", "the body is no JSON object or array");
}

/** Reads no more than there is room for, whatever the request says about its length. */
async function textOf(body: ReadableStream<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body) {
    bytes += piece.length;
    if (bytes > BODY_BYTES_MAX) {
      refuse("limit_exceeded", `a body has at most ${BODY_BYTES_MAX} bytes; send it in several`);
    }
    pieces.push(piece);
  }
  return new Blob(pieces).text();
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    return refuse("invalid", `the body is not JSON: ${String(cause)}`);
  }
}

/** The parts of a request's path, which may hold anything that is escaped. */
function pathOf({ url }: Request): string[] {
  return new URL(url).pathname.split("/").slice(1).map(unescaped);
}

function unescaped(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    refuse("invalid", `"${part}" is not escaped rightly`);
  }
}

function refuse(code: ErrorCode, message: string): never {
  throw new VectordocError(code, message);
}

/** The answer of `work`, or to what went wrong. */
async function answered(work: () => Promise<Response>): Promise<Response> {
  try {
    return await work();
  } catch (error) {
    const { code, message } =
      error instanceof VectordocError ? error : new VectordocError("internal", String(error));
    return Response.json({ code, message }, { status: STATUS[code] });
  }
}
