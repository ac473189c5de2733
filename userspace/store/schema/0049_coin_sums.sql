-- SPDX-License-Identifier: GPL-2.0-or-later
-- What coins paid for is added up without reading what else was paid.
CREATE INDEX payments_coin ON payments (amount_minor) WHERE method = 'coin';
