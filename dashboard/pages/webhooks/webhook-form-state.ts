import type { CreateWebhookParams } from '../../../lib/contracts/webhooks.contract.ts';

/** What is filled in on the form for a new webhook. */
export interface WebhookForm {
  url: string;
  connectionId: string;
  everything: boolean;
  eventTypes: readonly string[];
  /** `Name: value`, one a line */
  headers: string;
  enabled: boolean;
}

export const EMPTY_FORM: WebhookForm = {
  url: '',
  connectionId: '',
  everything: true,
  eventTypes: [],
  headers: '',
  enabled: true,
};

export type FormProblems = Partial<Record<'url' | 'eventTypes' | 'headers', string>>;

const HEADER_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*(.*)$/;

/** @returns what is wrong, by field, before the API is asked; empty where nothing is */
export function problemsOf(form: WebhookForm): FormProblems {
  const problems: FormProblems = {};
  const protocol = URL.canParse(form.url.trim()) ? new URL(form.url.trim()).protocol : null;
  if (protocol !== 'https:' && protocol !== 'http:') {
    problems.url = 'Write the whole address, beginning with https://';
  }
  if (!form.everything && form.eventTypes.length === 0)
    problems.eventTypes = 'Choose at least one type, or everything.';
  const wrong = lines(form.headers).find((line) => !HEADER_LINE.test(line));
  if (wrong !== undefined) problems.headers = `“${wrong}” is not of the form Name: value`;
  return problems;
}

/** @returns the body of `POST /webhook/create` */
export function bodyOf(form: WebhookForm): CreateWebhookParams {
  const headers = lines(form.headers).map((line) => HEADER_LINE.exec(line)?.slice(1) as [string, string]);
  return {
    url: form.url.trim(),
    eventTypes: (form.everything ? ['*'] : [...form.eventTypes]) as CreateWebhookParams['eventTypes'],
    ...(form.connectionId === '' ? {} : { connectionId: form.connectionId }),
    ...(form.enabled ? {} : { enabled: false }),
    ...(headers.length === 0 ? {} : { headers: Object.fromEntries(headers) }),
  };
}

function lines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
