/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The operators' pages work without this: it only copies what one could mark. */
"use strict";
document.querySelectorAll("button[data-copy]").forEach(function (button) {
	var text = document.getElementById(button.dataset.copy);

	if (!navigator.clipboard)
		return;
	button.hidden = false;
	button.addEventListener("click", function () {
		navigator.clipboard.writeText(text.textContent.trim()).then(function () {
			button.textContent = button.dataset.done;
		});
	});
});
