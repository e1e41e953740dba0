/* SPDX-License-Identifier: MIT */
/*
 * scancodes.h - text and names of keys made into what a keyboard sends: AT set
 * 1, of a keyboard with US layout.
 *
 * Names are what is printed on the key ("a", "7", "[") or one of esc, enter,
 * tab, space, backspace, shift, ctrl, alt, meta, rightctrl, rightalt,
 * rightshift, capslock, numlock, scrolllock, f1 to f12, up, down, left, right,
 * home, end, pageup, pagedown, insert, delete, printscreen, pause, menu,
 * minus, and keypad0 to keypad9.
 *
 * Pure.
 */
#ifndef VSP_SCANCODES_H
#define VSP_SCANCODES_H

#include <stdbool.h>

#include <glib.h>

/**
 * scancodes_text() - type @text: each character down and up, with shift
 * @keys:  struct synthkbd_key, appended to; as before on failure
 * @error: names the character that no key has
 *
 * Line feed is enter, tab is tab.
 */
bool scancodes_text(const char *text, GArray *keys, GError **error);

/**
 * scancodes_chord() - "ctrl-alt-delete": down in order, up in reverse
 * @keys:  as scancodes_text()
 * @error: names the key that is none
 */
bool scancodes_chord(const char *names, GArray *keys, GError **error);

#endif
