import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PROJECT_ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface CommandResult {
  code: number;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  /** on top of this process's own */
  env?: Record<string, string>;
  /** what it prints goes to our standard error as well: a build, for example, is worth watching */
  show?: boolean;
}

/** A command line that a variable named, such as `DOCKER="sudo docker"`. */
export interface Command {
  /** @throws Error with what it printed when it does not end with 0 */
  run(args: readonly string[], options?: CommandOptions): Promise<string>;
  /** The same without an opinion about its end. */
  attempt(args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
}

/** @param line words with spaces between; there is no quoting */
export function commandOf(line: string): Command {
  const [program = '', ...first] = line.split(' ').filter(Boolean);

  function attempt(args: readonly string[], { env = {}, show = false }: CommandOptions = {}): Promise<CommandResult> {
    const child = spawn(program, [...first, ...args], {
      cwd: PROJECT_ROOT,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
      if (show) process.stderr.write(chunk);
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
      if (show) process.stderr.write(chunk);
    });
    return new Promise((resolve, reject) => {
      child.once('error', (error) => reject(new Error(`${program} cannot be run: ${error.message}`)));
      child.once('close', (code) => resolve({ code: code ?? 1, stdout, stderr }));
    });
  }

  return {
    attempt,
    async run(args, options) {
      const { code, stdout, stderr } = await attempt(args, options);
      if (code === 0) return stdout;
      throw new Error(`${[program, ...first, ...args].join(' ')} ended with ${code}:\n${stderr}${stdout}`);
    },
  };
}
