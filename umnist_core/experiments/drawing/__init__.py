"""Charts as data, and as SVG and PNG without a browser: what pages, reports and sites share."""
