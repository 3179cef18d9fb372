import { Button } from '../components/button.tsx';
import type { IconName } from '../components/icon.tsx';
import { nextTheme, type Theme, theme } from './theme.ts';

const LOOKS: Record<Theme, { icon: IconName; label: string }> = {
  auto: { icon: 'auto', label: 'Theme: system' },
  light: { icon: 'sun', label: 'Theme: light' },
  dark: { icon: 'moon', label: 'Theme: dark' },
};

export function ThemeButton() {
  const { icon, label } = LOOKS[theme.value];
  return (
    <Button
      kind="quiet"
      small
      icon={icon}
      onClick={() => {
        theme.value = nextTheme();
      }}
    >
      {label}
    </Button>
  );
}
