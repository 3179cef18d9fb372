import { AsCurl } from '../../components/as-curl.tsx';
import { LinkButton } from '../../components/button.tsx';
import { Icon } from '../../components/icon.tsx';
import type { Step } from './first-steps.ts';

/** One step; only the next one has a strong button and its command open. */
export function FirstStep({ step, number, isNext }: { step: Step; number: number; isNext: boolean }) {
  const { title, text, done, action, curl } = step;
  return (
    <div class={`first-step${done ? ' is-done' : ''}`}>
      <span class="step-mark" aria-hidden="true">
        {done ? <Icon name="check" size={16} /> : number}
      </span>
      <div class="stack tight">
        <div class="row spread">
          <h2>
            {title}
            {done && <span class="sr-only"> (done)</span>}
          </h2>
          {action && !done && (
            <LinkButton kind={isNext ? 'primary' : 'plain'} small={!isNext} href={action.href}>
              {action.label}
            </LinkButton>
          )}
        </div>
        <p class="muted">{text}</p>
        <AsCurl calls={curl} open={isNext} />
      </div>
    </div>
  );
}
