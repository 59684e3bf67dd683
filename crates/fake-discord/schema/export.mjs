// Writes the request and response schemas of the served routes as JSON Schema.
// Usage: node export.mjs path/to/table.rs path/to/discord.json
import fs from "node:fs";
import ts from "typescript";
import * as z from "zod/mini";
import * as spec from "discord-api-spec/zod";

const [, , tablePath, outPath] = process.argv;
const at = "node_modules/discord-api-spec/";
const version = JSON.parse(fs.readFileSync(at + "package.json", "utf8")).version;

const registry = z.registry();
for (const [name, schema] of Object.entries(spec)) {
  if (name.endsWith("Schema")) registry.add(schema, { id: name.slice(0, -"Schema".length) });
}
const defs = z.toJSONSchema(registry, { io: "input", unrepresentable: "any", uri: (id) => `#/$defs/${id}` }).schemas;
for (const schema of Object.values(defs)) {
  delete schema.$id;
  delete schema.$schema;
  dropTimePatterns(schema);
}

// The exporter's pattern for times wants a final Z; Discord writes +00:00.
function dropTimePatterns(value) {
  if (!value || typeof value !== "object") return;
  if (value.format === "date-time") delete value.pattern;
  Object.values(value).forEach(dropTimePatterns);
}

const file = ts.createSourceFile("spec.ts", fs.readFileSync(at + "build/discord-api-spec.ts", "utf8"), ts.ScriptTarget.Latest, true);

// A TypeScript type as JSON Schema; undefined where there is no body.
function convert(node) {
  const kind = ts.SyntaxKind;
  switch (node.kind) {
    case kind.UnknownKeyword: case kind.UndefinedKeyword: case kind.NeverKeyword: return undefined;
    case kind.StringKeyword: return { type: "string" };
    case kind.NumberKeyword: return { type: "number" };
    case kind.BooleanKeyword: return { type: "boolean" };
    case kind.ParenthesizedType: return convert(node.type);
    case kind.ArrayType: return { type: "array", items: convert(node.elementType) ?? {} };
    case kind.UnionType: return { anyOf: node.types.map((one) => convert(one) ?? {}) };
    case kind.IntersectionType: return { allOf: node.types.map((one) => convert(one) ?? {}) };
    case kind.LiteralType:
      if (node.literal.kind === kind.NullKeyword) return { type: "null" };
      return { const: JSON.parse(node.literal.getText().replaceAll("'", '"')) };
    case kind.TypeReference: {
      const name = node.typeName.getText();
      if (name in defs) return { $ref: `#/$defs/${name}` };
      if (name === "Record") return { type: "object", additionalProperties: convert(node.typeArguments[1]) ?? {} };
      return {};
    }
    case kind.TypeLiteral: {
      const out = { type: "object", properties: {}, required: [] };
      for (const member of node.members) {
        if (ts.isIndexSignatureDeclaration(member)) out.additionalProperties = convert(member.type) ?? {};
        else if (ts.isPropertySignature(member)) {
          const name = member.name.text ?? member.name.getText();
          out.properties[name] = convert(member.type) ?? {};
          if (!member.questionToken) out.required.push(name);
        }
      }
      return out;
    }
    default: return {};
  }
}

const members = (node) => new Map(node.members.map((one) => [one.name?.text, one.type]));
const flat = (template) => template.replace(/\{[^}]*\}/g, "{}");
const paths = new Map();
for (const statement of file.statements) {
  if (ts.isInterfaceDeclaration(statement) && statement.name.text === "Paths") {
    for (const [path, type] of members(statement)) paths.set(flat(path), type);
  }
}

const routes = {};
const table = fs.readFileSync(tablePath, "utf8");
for (const [, method, template] of table.matchAll(/(?:bot|either|person|open|client) (GET|PUT|POST|PATCH|DELETE) "([^"]+)"/g)) {
  const path = paths.get(flat(template));
  const operation = path && members(path).get(method.toLowerCase());
  if (!operation) {
    console.log(`not in the description: ${method} ${template}`);
    continue;
  }
  const parts = members(operation);
  const responses = {};
  for (const [status, type] of members(parts.get("responses"))) responses[status] = convert(type) ?? null;
  const request = parts.has("requestBody") ? convert(parts.get("requestBody")) ?? null : null;
  routes[`${method} ${template}`] = { request, responses };
}

// Only what the routes reach.
const kept = {};
function reach(value) {
  if (Array.isArray(value)) value.forEach(reach);
  else if (value && typeof value === "object") {
    const name = typeof value.$ref === "string" && value.$ref.replace("#/$defs/", "");
    if (name && !(name in kept)) {
      kept[name] = defs[name];
      reach(defs[name]);
    }
    Object.values(value).forEach(reach);
  }
}
reach(routes);
const sorted = Object.fromEntries(Object.keys(kept).sort().map((name) => [name, kept[name]]));
const lines = [`"source": ${JSON.stringify(`npm discord-api-spec ${version}`)}`];
const block = (name, map) => `${JSON.stringify(name)}: {\n${Object.entries(map).map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`).join(",\n")}\n}`;
lines.push(block("routes", routes), block("$defs", sorted));
fs.writeFileSync(outPath, `{${lines.join(",\n")}}\n`);
console.log(`${Object.keys(routes).length} routes, ${Object.keys(sorted).length} definitions`);
