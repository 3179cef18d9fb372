import type { ComponentChildren, InputHTMLAttributes, SelectHTMLAttributes, TextareaHTMLAttributes } from 'preact';
import { useId } from 'preact/hooks';

interface FieldParts {
  label: string;
  hint?: ComponentChildren;
  /** what is wrong with it */
  problem?: string | null | undefined;
  /** the label is for screen readers only (a search box in a row of filters) */
  bare?: boolean;
  /** takes the space that is left in a row of filters */
  wide?: boolean;
}

type Attributes = {
  id: string;
  class: string;
  'aria-describedby': string | undefined;
  'aria-invalid': 'true' | undefined;
};

/** Label, control, hint and problem, tied together for a screen reader. Use one of the fields below where one fits. */
export function Field({
  label,
  hint,
  problem,
  bare,
  wide,
  render,
}: FieldParts & { render: (attributes: Attributes) => ComponentChildren }) {
  const id = useId();
  const described = [hint && `${id}-hint`, problem && `${id}-problem`].filter(Boolean).join(' ');
  return (
    <div class={wide ? 'field wide' : 'field'}>
      <label htmlFor={id} class={bare ? 'sr-only' : undefined}>
        {label}
      </label>
      {render({
        id,
        class: 'input',
        'aria-describedby': described || undefined,
        'aria-invalid': problem ? 'true' : undefined,
      })}
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {problem && (
        <p class="problem" id={`${id}-problem`}>
          {problem}
        </p>
      )}
    </div>
  );
}

type ValueProps<A> = FieldParts &
  Omit<A, keyof FieldParts | 'onInput' | 'onChange' | 'value' | 'class' | 'id'> & {
    value: string;
    onValue: (value: string) => void;
  };

/** One line of text; `type`, `placeholder`, `required`, `pattern` and so on go to the input. */
export function TextField({
  label,
  hint,
  problem,
  bare,
  wide,
  value,
  onValue,
  ...rest
}: ValueProps<InputHTMLAttributes>) {
  return (
    <Field
      {...{ label, hint, problem, bare, wide }}
      render={(attributes) => (
        <input {...rest} {...attributes} value={value} onInput={(event) => onValue(event.currentTarget.value)} />
      )}
    />
  );
}

/** Several lines. */
export function TextAreaField({
  label,
  hint,
  problem,
  bare,
  wide,
  value,
  onValue,
  ...rest
}: ValueProps<TextareaHTMLAttributes>) {
  return (
    <Field
      {...{ label, hint, problem, bare, wide }}
      render={(attributes) => (
        <textarea {...rest} {...attributes} value={value} onInput={(event) => onValue(event.currentTarget.value)} />
      )}
    />
  );
}

export interface Option {
  value: string;
  label: string;
}

/** One of several. */
export function SelectField({
  label,
  hint,
  problem,
  bare,
  wide,
  value,
  onValue,
  options,
  ...rest
}: ValueProps<SelectHTMLAttributes> & { options: readonly Option[] }) {
  return (
    <Field
      {...{ label, hint, problem, bare, wide }}
      render={(attributes) => (
        <select {...rest} {...attributes} value={value} onChange={(event) => onValue(event.currentTarget.value)}>
          {options.map((option) => (
            <option key={option.value} value={option.value} selected={option.value === value}>
              {option.label}
            </option>
          ))}
        </select>
      )}
    />
  );
}

interface CheckboxProps {
  label: ComponentChildren;
  checked: boolean;
  onChecked: (checked: boolean) => void;
}

export function Checkbox({ label, checked, onChecked }: CheckboxProps) {
  return (
    <label class="choice">
      <input type="checkbox" checked={checked} onChange={(event) => onChecked(event.currentTarget.checked)} />
      <span>{label}</span>
    </label>
  );
}

interface RadioGroupProps {
  legend: string;
  name: string;
  value: string;
  onValue: (value: string) => void;
  options: readonly (Option & { hint?: string })[];
}

export function RadioGroup({ legend, name, value, onValue, options }: RadioGroupProps) {
  return (
    <fieldset class="field">
      <legend>{legend}</legend>
      {options.map((option) => (
        <label class="choice" key={option.value}>
          <input
            type="radio"
            name={name}
            value={option.value}
            checked={option.value === value}
            onChange={() => onValue(option.value)}
          />
          <span>
            {option.label}
            {option.hint && <span class="hint"> {option.hint}</span>}
          </span>
        </label>
      ))}
    </fieldset>
  );
}
