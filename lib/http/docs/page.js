/* Shows /openapi.json and sends requests from the page. No library, no inline script, no other host. */

const keyInput = document.getElementById('key');
const filterInput = document.getElementById('filter');
const list = document.getElementById('operations');

function element(name, properties = {}, ...children) {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children);
  return node;
}

function resolve(description, schema) {
  const name = schema?.$ref?.split('/').at(-1);
  return name ? description.components.schemas[name] : (schema ?? {});
}

/** A value that shows the shape; it need not pass the patterns. */
function example(description, given, depth = 0) {
  const schema = resolve(description, given);
  if (depth > 5) return null;
  if ('const' in schema) return schema.const;
  if (schema.enum) return schema.enum[0];
  if (schema.anyOf) return example(description, schema.anyOf[0], depth + 1);
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  if (type === 'object') {
    const entries = Object.entries(schema.properties ?? {});
    return Object.fromEntries(entries.map(([name, inner]) => [name, example(description, inner, depth + 1)]));
  }
  if (type === 'array') return [example(description, schema.items, depth + 1)];
  return { string: 'text', integer: schema.minimum ?? 0, number: schema.minimum ?? 0, boolean: true }[type] ?? null;
}

function pretty(value) {
  return JSON.stringify(value, null, 2);
}

function parameterFields(operation) {
  const fields = (operation.parameters ?? []).map((parameter) => {
    const input = element('input', { required: parameter.required === true, placeholder: parameter.in });
    const label = element('label', { className: 'param' }, parameter.name + (parameter.required ? ' *' : ''), input);
    return { parameter, input, label };
  });
  return fields;
}

function request(path, method, fields, body) {
  const query = new URLSearchParams();
  const headers = {};
  let target = path;
  for (const { parameter, input } of fields) {
    if (input.value === '') continue;
    if (parameter.in === 'path') target = target.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    if (parameter.in === 'query') query.set(parameter.name, input.value);
    if (parameter.in === 'header') headers[parameter.name] = input.value;
  }
  if (keyInput.value) headers['X-Api-Key'] = keyInput.value;
  if (body) headers['Content-Type'] = 'application/json';
  const url = query.size > 0 ? `${target}?${query}` : target;
  return fetch(url, { method: method.toUpperCase(), headers, body: body?.value });
}

async function showAnswer(response, output) {
  const type = response.headers.get('content-type') ?? '';
  const head = `${response.status} ${response.statusText}\n`;
  if (type.startsWith('image/')) {
    const picture = element('img', { src: URL.createObjectURL(await response.blob()), alt: 'the answer' });
    output.replaceChildren(head, picture);
  } else if (type.startsWith('text/event-stream')) {
    output.textContent = head;
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) output.append(part.value);
  } else {
    const text = await response.text();
    output.textContent = head + (type.startsWith('application/json') ? pretty(JSON.parse(text)) : text);
  }
}

function tryIt(description, path, method, operation) {
  const fields = parameterFields(operation);
  const schema = operation.requestBody?.content['application/json'].schema;
  const body =
    schema &&
    element('textarea', { spellcheck: false, ariaLabel: 'body, JSON', value: pretty(example(description, schema)) });
  const output = element('pre', { hidden: true, tabIndex: 0, ariaLabel: 'answer', role: 'group' });
  const form = element('form', {}, ...fields.map(({ label }) => label), ...(body ? [body] : []));
  form.append(element('button', { type: 'submit', textContent: 'Send' }), output);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    output.hidden = false;
    output.textContent = '…';
    try {
      await showAnswer(await request(path, method, fields, body), output);
    } catch (error) {
      output.textContent = String(error);
    }
  });
  return form;
}

function answers(description, operation) {
  const rows = Object.entries(operation.responses).map(([status, response]) =>
    element('tr', {}, element('td', { textContent: status }), element('td', { textContent: response.description })),
  );
  const success = Object.entries(operation.responses).find(([status]) => status < '300')?.[1];
  const json = success?.content?.['application/json'];
  const shape = json ? [element('pre', { textContent: pretty(example(description, json.schema)) })] : [];
  return element('div', {}, element('table', {}, ...rows), ...shape);
}

function show(description, path, method, operation) {
  const title = element('summary', {}, element('span', { className: 'method', textContent: method.toUpperCase() }));
  title.append(element('code', { textContent: path }), ` ${operation.summary}`);
  const node = element('details', {}, title);
  node.dataset.text = `${method} ${path} ${operation.summary}`.toLowerCase();
  node.addEventListener(
    'toggle',
    () => {
      const about = element('p', { className: 'about', textContent: operation.description ?? '' });
      node.append(
        element('div', {}, about, tryIt(description, path, method, operation), answers(description, operation)),
      );
    },
    { once: true },
  );
  return node;
}

function filter() {
  const words = filterInput.value.toLowerCase().split(/\s+/);
  for (const node of list.querySelectorAll('details'))
    node.hidden = !words.every((word) => node.dataset.text.includes(word));
}

/** With the dashboard's cookie no key is needed; the browser sends it by itself. */
async function showSession() {
  const response = await fetch('/dashboard/session');
  const session = response.ok ? await response.json() : null;
  const signInLink = element('a', { href: '/', textContent: 'Sign in' });
  const note = session
    ? [`Signed in as ${session.userId} (${session.role}). A key goes before the session.`]
    : [signInLink, ' at the dashboard, or give an API key.'];
  document.getElementById('session').replaceChildren(...note);
}

await showSession();
const description = await (await fetch('/openapi.json')).json();
document.getElementById('about').textContent = description.info.summary;
const groups = new Map();
for (const [path, operations] of Object.entries(description.paths)) {
  for (const [method, operation] of Object.entries(operations)) {
    const tag = operation.tags[0];
    if (!groups.has(tag)) groups.set(tag, [element('h2', { textContent: tag })]);
    groups.get(tag).push(show(description, path, method, operation));
  }
}
list.replaceChildren(...[...groups.values()].flat());
filterInput.addEventListener('input', filter);
