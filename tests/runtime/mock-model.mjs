// A model that never thinks, for running the real agent programs from beginning to end without a key or a network.
//   MOCK_CMD='git commit … && town done' node mock-model.mjs [PORT] [LOG]
// It speaks Anthropic Messages (claude), OpenAI Responses (codex), OpenAI Chat Completions (opencode, kilo, qwen) and
// Gemini (gemini) on loopback: the first turn asks the agent's shell tool to run MOCK_CMD, the next one ends. Whoever asks for the one word `ready`, as `town agent check` does, gets it.
// It prints its port, which is any free one when PORT is 0. LOG has one line for each request, and with MOCK_DUMP set
// LOG.full has each request whole.
import http from 'node:http';
import fs from 'node:fs';

const [port = '9099', log = 'mock-model.log'] = process.argv.slice(2);
const command = process.env.MOCK_CMD || "printf 'hello from mock\\n' > out.txt";
const kShellTools = /^(bash|shell|shell_command|exec_command|local_shell|run_shell_command)$/i;

/// What the model says to a conversation: a call of the shell tool, or a last word.
function turn(asked, tools, hasResult) {
  if (asked.includes('Answer with the one word: ready')) return { text: 'ready' };
  if (hasResult) return { text: 'Done: the command ran.' };
  const tool = tools.find((t) => kShellTools.test(t.name || t.type || ''));
  return tool ? { tool } : { text: 'ok' };
}

/// Arguments in the shape that the tool's schema asks for.
function argumentsFor(schema) {
  const known = schema?.properties || {};
  const given = {};
  if (known.cmd && !known.command) given.cmd = command;
  else given.command = known.command?.type === 'array' ? ['bash', '-lc', command] : command;
  if (known.description) given.description = 'do the work';
  if (known.is_background) given.is_background = false;
  return given;
}

function answer(response, body) {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

/// Opens a stream of server-sent events; the answer writes one.
function stream(response) {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  return (type, data) => response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
}

function anthropic(response, asked, request) {
  const hasResult = (request.messages || []).some(
    (message) => Array.isArray(message.content) && message.content.some((part) => part.type === 'tool_result'));
  const { tool, text } = turn(asked, request.tools || [], hasResult);
  const block = tool
    ? { type: 'tool_use', id: 'toolu_1', name: tool.name, input: argumentsFor(tool.input_schema) }
    : { type: 'text', text };
  const stop = { stop_reason: tool ? 'tool_use' : 'end_turn', stop_sequence: null };
  const usage = { input_tokens: 120, output_tokens: 20, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 };
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model: request.model };
  if (!request.stream) return answer(response, { ...message, content: [block], ...stop, usage });
  const say = stream(response);
  say('message_start', { message: { ...message, content: [], stop_reason: null, stop_sequence: null, usage } });
  say('content_block_start', { index: 0, content_block: tool ? { ...block, input: {} } : { type: 'text', text: '' } });
  const delta = tool
    ? { type: 'input_json_delta', partial_json: JSON.stringify(block.input) }
    : { type: 'text_delta', text };
  say('content_block_delta', { index: 0, delta });
  say('content_block_stop', { index: 0 });
  say('message_delta', { delta: stop, usage: { output_tokens: 20 } });
  say('message_stop', {});
  response.end();
}

function openai(response, asked, request) {
  const input = Array.isArray(request.input) ? request.input : [];
  const { tool, text } = turn(asked, request.tools || [], input.some((item) => /_output$/.test(item.type || '')));
  const part = { type: 'output_text', text, annotations: [] };
  const item = tool
    ? { id: 'fc_1', type: 'function_call', status: 'completed', call_id: 'call_1', name: tool.name,
        arguments: JSON.stringify(argumentsFor(tool.parameters)) }
    : { id: 'msg_1', type: 'message', status: 'completed', role: 'assistant', content: [part] };
  const whole = {
    id: 'resp_1', object: 'response', created_at: 1, status: 'completed', model: request.model, output: [item],
    usage: { input_tokens: 120, input_tokens_details: { cached_tokens: 0 }, output_tokens: 20,
             output_tokens_details: { reasoning_tokens: 0 }, total_tokens: 140 },
  };
  if (!request.stream) return answer(response, whole);
  const write = stream(response);
  let number = 0;
  const say = (type, data) => write(type, { sequence_number: number++, ...data });
  const at = { item_id: item.id, output_index: 0 };
  const empty = tool ? { arguments: '' } : { content: [] };
  say('response.created', { response: { ...whole, status: 'in_progress', output: [] } });
  say('response.output_item.added', { output_index: 0, item: { ...item, ...empty, status: 'in_progress' } });
  if (tool) {
    say('response.function_call_arguments.delta', { ...at, delta: item.arguments });
    say('response.function_call_arguments.done', { ...at, arguments: item.arguments });
  } else {
    say('response.content_part.added', { ...at, content_index: 0, part: { ...part, text: '' } });
    say('response.output_text.delta', { ...at, content_index: 0, delta: text });
    say('response.output_text.done', { ...at, content_index: 0, text });
    say('response.content_part.done', { ...at, content_index: 0, part });
  }
  say('response.output_item.done', { output_index: 0, item });
  say('response.completed', { response: whole });
  response.end();
}

function chat(response, asked, request) {
  const offered = (request.tools || []).map((tool) => tool.function || {});
  const hasResult = (request.messages || []).some((message) => message.role === 'tool');
  const { tool, text } = turn(asked, offered, hasResult);
  const calls = tool
    ? [{ index: 0, id: 'call_1', type: 'function',
         function: { name: tool.name, arguments: JSON.stringify(argumentsFor(tool.parameters)) } }]
    : undefined;
  const finish = tool ? 'tool_calls' : 'stop';
  const usage = { prompt_tokens: 120, completion_tokens: 20, total_tokens: 140 };
  const whole = { id: 'chat_1', created: 1, model: request.model };
  if (!request.stream) {
    const message = { role: 'assistant', content: text ?? null, tool_calls: calls };
    return answer(response, { ...whole, object: 'chat.completion', usage,
                              choices: [{ index: 0, message, finish_reason: finish }] });
  }
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  const say = (delta, finish_reason = null, more = {}) => response.write('data: ' + JSON.stringify(
    { ...whole, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason }], ...more }) + '\n\n');
  say({ role: 'assistant', content: tool ? null : '' });
  say(tool ? { tool_calls: calls } : { content: text });
  say({}, finish, { usage });
  response.end('data: [DONE]\n\n');
}

function gemini(response, asked, request, streamed) {
  const offered = (request.tools || []).flatMap((tools) => tools.functionDeclarations || []);
  const hasResult = (request.contents || []).some(
    (content) => (content.parts || []).some((part) => part.functionResponse));
  const { tool, text } = turn(asked, offered, hasResult);
  const part = tool
    ? { functionCall: { name: tool.name, args: argumentsFor(tool.parametersJsonSchema || tool.parameters) } }
    : { text };
  const whole = {
    candidates: [{ content: { role: 'model', parts: [part] }, finishReason: 'STOP', index: 0 }],
    usageMetadata: { promptTokenCount: 120, candidatesTokenCount: 20, totalTokenCount: 140 }, modelVersion: 'mock-1',
  };
  if (!streamed) return answer(response, whole);
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  response.end('data: ' + JSON.stringify(whole) + '\n\n');
}

const server = http.createServer((incoming, response) => {
  let body = '';
  incoming.on('data', (bytes) => { body += bytes; });
  incoming.on('end', () => {
    fs.appendFileSync(log, JSON.stringify({ method: incoming.method, url: incoming.url, bytes: body.length }) + '\n');
    if (process.env.MOCK_DUMP) fs.appendFileSync(log + '.full', body + '\n');
    const path = new URL(incoming.url, 'http://x').pathname;
    if (path.endsWith('/models')) return answer(response, { data: [{ id: 'mock-1', object: 'model' }] });
    if (path.endsWith('/messages/count_tokens')) return answer(response, { input_tokens: 100 });
    if (path.endsWith('/messages')) return anthropic(response, body, JSON.parse(body));
    if (path.endsWith('/responses')) return openai(response, body, JSON.parse(body));
    if (path.endsWith('/chat/completions')) return chat(response, body, JSON.parse(body));
    if (path.endsWith(':generateContent')) return gemini(response, body, JSON.parse(body), false);
    if (path.endsWith(':streamGenerateContent')) return gemini(response, body, JSON.parse(body), true);
    response.writeHead(404, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: { message: 'mock: no route ' + incoming.url } }));
  });
});
server.listen(Number(port), '127.0.0.1', () => console.log(server.address().port));
