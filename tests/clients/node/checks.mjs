// Counts what passes and what fails, keeps the bodies met, and says the result the way scripts/check-clients adds up.

import { appendFileSync } from 'node:fs';

/** The checks of one client. `met` is a file to which bodies are added, one JSON text per line. */
export class Checks {
  constructor(name, met) {
    this.name = name;
    this.met = met;
    this.passed = 0;
    this.failed = 0;
  }

  /** Keeps a body for validation, and gives it back. */
  keep(body) {
    appendFileSync(this.met, `${JSON.stringify(body)}\n`);
    return body;
  }

  /** One check: an asynchronous function that fails by throwing. */
  async run(what, check) {
    try {
      await check();
      this.passed += 1;
    } catch (error) {
      this.failed += 1;
      console.log(`FAILED ${this.name}: ${what}`);
      console.log(`    ${String(error.stack ?? error).slice(0, 900).replaceAll('\n', '\n    ')}`);
      if (error.response?.data) console.log(`    ${JSON.stringify(error.response.data).slice(0, 600)}`);
    }
  }

  /** Prints the line that scripts/check-clients reads, and sets the exit code. No check at all is a failure. */
  finish() {
    if (this.passed + this.failed === 0) {
      this.failed = 1;
      console.log(`FAILED ${this.name}: nothing was checked`);
    }
    console.log(`${this.name}: ${this.passed} passed, ${this.failed} failed`);
    process.exitCode = this.failed ? 1 : 0;
  }
}

/** The resources of a Bundle that are in it for one reason: match, include or outcome. */
export function resources(bundle, mode) {
  return (bundle.entry ?? []).filter((entry) => entry.search.mode === mode).map((entry) => entry.resource);
}

/** `Type/id` of a resource. */
export function name(resource) {
  return `${resource.resourceType}/${resource.id}`;
}

/** The base URL and the file for bodies, from the command line. */
export function commandLine() {
  const [base, met] = process.argv.slice(2);
  if (!base || !met) {
    console.error(`usage: node ${process.argv[1]} BASE_URL MET`);
    process.exit(2);
  }
  return { base, met };
}
