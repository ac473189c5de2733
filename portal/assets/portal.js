// SPDX-License-Identifier: GPL-2.0-or-later
// What the pages gain from a script; each of them works without it. Restores
// the session by itself, counts down, keeps the token for next time.
(function () {
	"use strict";
	var KEY = "ajc_session_token";
	var POLL_MS = 5000;
	var body = document.body;
	var state = body.getAttribute("data-state");

	document.documentElement.className += " js";

	// Sign-in sheets may refuse storage by throwing.
	function stored(value) {
		try {
			if (value === undefined)
				return localStorage.getItem(KEY);
			if (value === null)
				localStorage.removeItem(KEY);
			else
				localStorage.setItem(KEY, value);
		} catch (e) { /* then there is the cookie */ }
		return null;
	}
	function byId(id) {
		return document.getElementById(id);
	}
	function show(id, visible) {
		var element = byId(id);
		if (element)
			element.hidden = !visible;
	}
	function isToken(text) {
		return /^[0-9a-f]{64}$/i.test(text || "");
	}
	function call(method, path, data, done) {
		var request = new XMLHttpRequest();
		request.open(method, path);
		request.timeout = 10000;
		if (data)
			request.setRequestHeader("Content-Type", "application/json");
		request.onloadend = function () {
			var reply = null;
			try {
				reply = JSON.parse(request.responseText);
			} catch (e) { /* done() sees null */ }
			done(request.status, reply);
		};
		request.send(data ? JSON.stringify(data) : null);
	}
	// In the page's language where the page has it; the API speaks English.
	function complain(reply) {
		var alert = byId("alert");
		var text = reply && (alert && alert.getAttribute("data-" + reply.code) || reply.error);
		if (alert && text) {
			alert.textContent = text;
			alert.hidden = false;
		}
	}

	// Restoring: the cookie first, then what is stored here.

	// A whole new page, because sign-in sheets look again after one.
	function restored(token) {
		var url = new URLSearchParams(location.search).get("url");
		if (token)
			stored(token);
		location.replace("/?restored=1" +
			(url ? "&url=" + encodeURIComponent(url) : ""));
	}
	function restore(tokens, silent) {
		var token = tokens.shift();
		show("restoring", true);
		show("again", false);
		call("POST", "/api/sessions/restore", token ? { token: token } : {}, function (status, reply) {
			if (reply && reply.success) {
				restored(token);
				return;
			}
			if (reply && token === stored() &&
				(reply.code === "session_unknown" || reply.code === "token_expired" ||
				reply.code === "session_used_up"))
				stored(null);
			if (reply && reply.code === "not_transferable") {
				show("help", true);
				silent = false;
			} else if (tokens.length) {
				restore(tokens, silent);
				return;
			}
			show("restoring", false);
			if (!silent)
				complain(reply);
		});
	}
	function restoreByItself() {
		var tokens = [];
		if (body.hasAttribute("data-restored") || body.hasAttribute("data-error"))
			return;
		if (body.hasAttribute("data-cookie"))
			tokens.push(null);
		if (isToken(stored()))
			tokens.push(stored());
		if (tokens.length)
			restore(tokens, true);
	}
	function resume() {
		var token = location.hash.slice(1);
		if (!isToken(token))
			return;
		// Not in the history of a shared device.
		history.replaceState(null, "", "/r");
		byId("token").value = token;
		restore([token], false);
	}

	// The running session.

	function pad(number) {
		return (number < 10 ? "0" : "") + number;
	}
	// As portal/locale.c does it, by what the page says of its language.
	function number(value, digits) {
		var page = document.documentElement;
		var group = page.getAttribute("data-group");
		var parts = value.toFixed(digits).split(".");
		parts[0] = parts[0].replace(/\B(?=(\d{3})+$)/g, group === "space" ? "\u00a0" : group);
		return parts.join(page.getAttribute("data-decimal"));
	}
	function count(id, value) {
		var forms = JSON.parse(byId(id).getAttribute("data-forms")), category = "other";
		try {
			category = new Intl.PluralRules(document.documentElement.lang).select(value);
		} catch (e) { /* an old browser */ }
		return (forms[category] || forms.other).replace("{n}", number(value, 0));
	}
	function bytes(value) {
		var units = document.documentElement.getAttribute("data-bytes").split(" "), unit = 0;
		while (value >= 999.5 && unit < units.length - 1) {
			value /= 1000;
			unit++;
		}
		return number(value, unit && value < 99.95 ? 1 : 0) + " " + units[unit];
	}
	function put(id, text) {
		var element = byId(id);
		if (element && element.textContent !== text)
			element.textContent = text;
	}
	function showTime(seconds) {
		var days = byId("days"), whole = Math.floor(seconds / 86400);
		if (!days)
			return;
		put("days", whole ? count("days", whole) : "");
		seconds %= 86400;
		put("clock", pad(Math.floor(seconds / 3600)) + ":" +
			pad(Math.floor(seconds % 3600 / 60)) + ":" + pad(seconds % 60));
	}
	// A ring or a bar of a hundred parts, so many of which are left.
	function showPart(id, left, whole) {
		var element = byId(id);
		if (element && whole > 0 && typeof left === "number")
			element.setAttribute("stroke-dasharray",
				(100 * Math.min(1, left / whole)).toFixed(1) + " 100");
	}
	// Of what was counted between two looks.
	var looked = null;
	function rate(before, now, ms) {
		var units = document.documentElement.getAttribute("data-rates").split(" ");
		var kbps = Math.max(0, now - before) * 8 / ms, mega = kbps >= 999.5;
		if (mega)
			kbps /= 1000;
		return number(kbps, mega && kbps < 99.95 ? 1 : 0) + " " + units[mega ? 1 : 0];
	}
	function showSpeed(reply) {
		var now = { at: Date.now(), up: reply.bytesUp, down: reply.bytesDown };
		if (looked && now.at - looked.at > 1000 && now.at - looked.at < 3 * POLL_MS) {
			put("speed-up", rate(looked.up, now.up, now.at - looked.at));
			put("speed-down", rate(looked.down, now.down, now.at - looked.at));
			show("speed", true);
		}
		looked = now;
	}
	function watch() {
		var end = null, waiting = false, counting = state === "running" || state === "group_used_up";
		var credits = Number(body.getAttribute("data-credits"));
		var total = Number(body.getAttribute("data-total"));

		function sync(seconds) {
			end = typeof seconds === "number" ? Date.now() + seconds * 1000 : null;
		}
		function poll() {
			if (waiting || document.hidden)
				return;
			waiting = true;
			call("GET", "/api/session", null, function (status, reply) {
				waiting = false;
				if (!reply || !reply.success)
					return;
				// Another page, which says what became of it.
				if (reply.state !== state) {
					location.replace(reply.state === "captive" ? "/?ended=1" : "/");
					return;
				}
				if ((reply.internet === false) !== !!byId("no-internet")) {
					location.replace("/");
					return;
				}
				if (reply.credits.length !== credits) {
					location.replace(reply.credits.length < credits ? "/?next=1" : "/");
					return;
				}
				sync(reply.creditSeconds);
				if (typeof reply.creditSeconds === "number")
					showTime(reply.creditSeconds);
				if (typeof reply.remainingBytes === "number")
					put("left", bytes(reply.remainingBytes));
				showPart("bar", reply.remainingBytes, Number(body.getAttribute("data-bytes")));
				put("up", bytes(reply.bytesUp || 0));
				put("down", bytes(reply.bytesDown || 0));
				show("used", true);
				showSpeed(reply);
				showEnd(reply.expiresAt);
			});
		}
		function tick() {
			if (!counting || end === null || document.hidden)
				return;
			var left = Math.max(0, Math.round((end - Date.now()) / 1000));
			showTime(left);
			showPart("ring", left, total);
			if (!left)
				poll();
		}
		if (body.getAttribute("data-seconds"))
			sync(Number(body.getAttribute("data-seconds")));
		setInterval(tick, 1000);
		setInterval(poll, POLL_MS);
		document.addEventListener("visibilitychange", poll);
	}
	/* In the guest's own zone and words. */
	function showDate(time, text) {
		var at = new Date(text || NaN);
		if (!time || isNaN(at))
			return false;
		time.textContent = at.toLocaleString(document.documentElement.lang + "-u-nu-latn",
			{ weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
		return true;
	}
	function showEnd(text) {
		if (showDate(document.querySelector("#ends time"), text))
			show("ends", true);
	}
	function offerCopy() {
		var button = byId("copy"), link = byId("resume");
		if (!button || !link || !navigator.clipboard)
			return;
		button.hidden = false;
		button.addEventListener("click", function () {
			navigator.clipboard.writeText(link.href).then(function () {
				button.textContent = button.getAttribute("data-done");
			});
		});
	}

	// Coins: what the daemon counted, once a second.

	function money(reply) {
		return byId("coin-amount").getAttribute("data-money").replace("{n}",
			number(reply.pesos, reply.pesos % 1 ? 2 : 0));
	}
	function coins() {
		var lock = body.getAttribute("data-lock"), was = body.getAttribute("data-lock-state");
		var url = body.getAttribute("data-url");
		if (was !== "open" && was !== "soon")
			return;
		call("GET", "/api/coins/status?lockId=" + encodeURIComponent(lock), null, function (status, reply) {
			if (reply && reply.success) {
				if (reply.state !== was) {
					location.replace("/coins" + (url ? "?url=" + url : ""));
					return;
				}
				put("coin-amount", money(reply));
				put("coin-minutes", count("coin-minutes", reply.minutes));
				put("coin-seconds", count("coin-seconds", reply.seconds));
				show("coin-start", reply.costMinor > 0);
				show("coin-left", reply.costMinor > 0 && reply.creditedMinor > reply.costMinor);
			}
			setTimeout(coins, 1000);
		});
	}

	document.addEventListener("submit", function (event) {
		var button = event.target.querySelector("button");
		// Twice would be a second try with the same code.
		setTimeout(function () {
			button.disabled = true;
		}, 0);
	});
	window.addEventListener("pageshow", function () {
		Array.prototype.forEach.call(document.querySelectorAll("button"), function (button) {
			button.disabled = false;
		});
	});

	// Its turn comes in a few seconds.
	if (byId("in_line"))
		setTimeout(function () {
			byId("in_line").submit();
		}, Number(byId("in_line").getAttribute("data-again-in")) * 1000);
	// What is said once: loading the page anew does not say it again.
	if (/[?&](ended|next)=/.test(location.search))
		history.replaceState(null, "", "/");
	if (isToken(body.getAttribute("data-token")))
		stored(body.getAttribute("data-token"));
	if (state === "captive") {
		restoreByItself();
	} else if (state === "coins") {
		// What went wrong is said once.
		if (/[?&]error=/.test(location.search))
			history.replaceState(null, "", "/coins");
		coins();
	} else if (state === "resume") {
		resume();
	} else if (state === "login") {
		// Not in the history of a shared device; the form has it.
		history.replaceState(null, "", "/login");
	} else if (state === "sold") {
		// Loading the page anew must not sell another one.
		history.replaceState(null, "", "/staff/sell");
	} else if (state === "left") {
		stored(null);
	} else if (state !== "blocked" && body.hasAttribute("data-credits")) {
		// So that "reload" does not send the form once more.
		if (body.hasAttribute("data-fresh") || body.hasAttribute("data-error"))
			history.replaceState(null, "", "/");
		showEnd(body.getAttribute("data-expires"));
		[].forEach.call(document.querySelectorAll("time[datetime]"), function (time) {
			showDate(time, time.getAttribute("datetime"));
		});
		watch();
		offerCopy();
	}
})();
