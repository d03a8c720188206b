// Opens the camera page.

import "./style.css";
import { applyTheme, currentTheme } from "../ui/theme.ts";
import { CameraPage } from "./page.ts";

applyTheme(currentTheme());
new CameraPage(document.querySelector<HTMLElement>("#app")!);
