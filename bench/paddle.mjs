// PaddleOCR's mobile models under ONNX Runtime, one thread. Reads the path of a picture a line; answers each
// with a line of JSON: {"cpu_ms": of the whole process, "lines": [text, ...]}.
// usage: node paddle.mjs FOLDER-WITH-NODE_MODULES
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import readline from 'node:readline';

const from = createRequire(process.argv[2] + '/');
const load = (name) => import(pathToFileURL(from.resolve(name)));
const { default: Ocr } = await load('@gutenye/ocr-node');

const ocr = await Ocr.create({
  onnxOptions: { executionMode: 'sequential', intraOpNumThreads: 1, interOpNumThreads: 1 },
});
for await (const path of readline.createInterface({ input: process.stdin })) {
  const began = process.cpuUsage();
  let lines = [];
  let problem = '';
  try {
    lines = (await ocr.detect(path)).map((line) => line.text);
  } catch (error) {
    problem = String(error); // it throws where it finds no text at all
  }
  const used = process.cpuUsage(began);
  console.log(JSON.stringify({ cpu_ms: (used.user + used.system) / 1000, lines, problem }));
}
