// Asks through the gateway by the SDKs for Node, of which nothing is changed but the base URL (and, where a case says so, the number of their own
// retries). Reads a list of cases from stdin, prints a list of what came of them. The first argument is the folder with the packages.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const require = createRequire(process.argv[2] + '/');
const { OpenAI } = require('openai');
const { Anthropic } = require('@anthropic-ai/sdk');

const question = 'Why do boats float?';
const schema = { type: 'object', properties: { place: { type: 'string' } } };

const sdks = {
	openai: {
		client: (origin, options) => new OpenAI({ baseURL: origin + '/v1', apiKey: 'any', ...options }),
		plain: async (client, request, got) => {
			const answer = await client.chat.completions.create(request);
			got.text = answer.choices[0].message.content ?? '';
			const call = answer.choices[0].message.tool_calls?.[0].function;
			if (call) got.tool = { name: call.name, arguments: call.arguments };
		},
		stream: async (client, request, got) => {
			for await (const chunk of await client.chat.completions.create({ ...request, stream: true })) {
				const delta = chunk.choices[0]?.delta;
				got.text += delta?.content ?? '';
				const call = delta?.tool_calls?.[0].function;
				if (!call) continue;
				got.tool ??= { name: call.name, arguments: '' };
				got.tool.arguments += call.arguments;
			}
		},
		request: (tools) => ({
			model: 'm', messages: [{ role: 'user', content: question }],
			...(tools && { tools: [{ type: 'function', function: { name: 'get_wind', parameters: schema } }] }),
		}),
		kind: (err) => err.code ?? '',
	},
	anthropic: {
		client: (origin, options) => new Anthropic({ baseURL: origin, apiKey: 'any', ...options }),
		plain: async (client, request, got) => {
			const answer = await client.messages.create(request);
			got.text = answer.content[0].text ?? '';
			if (answer.content[0].type === 'tool_use') {
				got.tool = { name: answer.content[0].name, arguments: JSON.stringify(answer.content[0].input) };
			}
		},
		stream: async (client, request, got) => {
			const stream = client.messages.stream(request);
			stream.on('text', (text) => { got.text += text; });
			const answer = await stream.finalMessage();
			if (answer.content[0].type === 'tool_use') {
				got.tool = { name: answer.content[0].name, arguments: JSON.stringify(answer.content[0].input) };
			}
		},
		request: (tools) => ({
			model: 'm', max_tokens: 1000, messages: [{ role: 'user', content: question }],
			...(tools && { tools: [{ name: 'get_wind', input_schema: schema }] }),
		}),
		kind: (err) => err.error?.error?.type ?? '',
	},
};

const results = [];
for (const one of JSON.parse(readFileSync(0, 'utf8'))) {
	const sdk = sdks[one.sdk];
	const got = { text: '' };
	try {
		const client = sdk.client(one.origin, one.retries === undefined ? {} : { maxRetries: one.retries });
		await sdk[one.stream ? 'stream' : 'plain'](client, sdk.request(one.tools), got);
	} catch (err) {
		got.error = { type: err.constructor.name, status: err.status ?? 0, kind: String(sdk.kind(err)), message: String(err.message) };
	}
	results.push(got);
}
process.stdout.write(JSON.stringify(results));
