// The workload as a cdk8s app in the language of cdk8s: what `tsc` makes of a TypeScript app.
// Usage: node main.js LIBRARY VALUES OUTPUT LAYOUT APPS
"use strict";

const { readFileSync } = require("node:fs");
const { ApiObject, App, Chart, YamlOutputType } = require("cdk8s");

const [library, values, outdir, layout, apps] = process.argv.slice(2);
const objects = require(library);

// One cdk8s App per environment, or one for all.
const environments = JSON.parse(readFileSync(values));
for (const environment of apps === "each" ? environments : [environments.flat()]) {
  const app = new App({ outdir, yamlOutputType: YamlOutputType[layout] });
  for (const item of environment) {
    const chart = new Chart(app, item.name);
    for (const object of objects(item)) {
      new ApiObject(chart, `${object.kind}-${object.metadata.name}`, object);
    }
  }
  app.synth();
}
