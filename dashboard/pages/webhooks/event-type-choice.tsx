import { EVENT_TYPES } from '../../api/event-types.ts';
import { Checkbox } from '../../components/field.tsx';

interface EventTypeChoiceProps {
  chosen: readonly string[];
  onChosen: (types: string[]) => void;
  legend: string;
  problem?: string | undefined;
}

/** Which types of events; several may be chosen. */
export function EventTypeChoice({ chosen, onChosen, legend, problem }: EventTypeChoiceProps) {
  return (
    <fieldset class="field">
      <legend>{legend}</legend>
      <div class="type-choice">
        {EVENT_TYPES.map((type) => (
          <Checkbox
            key={type}
            label={<code>{type}</code>}
            checked={chosen.includes(type)}
            onChecked={(checked) => onChosen(checked ? [...chosen, type] : chosen.filter((other) => other !== type))}
          />
        ))}
      </div>
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
    </fieldset>
  );
}
